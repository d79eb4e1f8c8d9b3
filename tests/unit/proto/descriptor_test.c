/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor_test.c - every verdict, every bound at its edge, every bit flipped
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/proto/golden.h"

static enum scaph_descriptor_verdict verdict_in(const struct scaph_descriptor *desc,
						uint64_t segment_bytes)
{
	uint8_t bytes[SCAPH_DESC_MAX_BYTES] = {};
	struct scaph_geometry geometry = { .fast.count = 42 };
	struct scaph_descriptor ret = { .magic = 42 };
	enum scaph_descriptor_verdict verdict;

	memcpy(bytes, desc, sizeof(*desc));
	verdict = scaph_descriptor_check(bytes, segment_bytes, &ret, &geometry);
	/* Untouched unless it is good. */
	assert_int_equal(ret.magic == 42, verdict != SCAPH_DESCRIPTOR_OK);
	if (verdict == SCAPH_DESCRIPTOR_OK) {
		assert_true(geometry.fast.count >= 1);
		assert_true(geometry.fast.offset +
				    (uint64_t)geometry.fast.stride * geometry.fast.count <=
			    segment_bytes);
	}
	assert_true(*scaph_descriptor_verdict_text(verdict));
	return verdict;
}

static enum scaph_descriptor_verdict sealed_verdict(struct scaph_descriptor *desc)
{
	scaph_descriptor_seal(desc);
	return verdict_in(desc, GOLDEN_SEGMENT_BYTES);
}

#define EXPECT(change, wanted)                                                                     \
	do {                                                                                       \
		struct scaph_descriptor desc = golden_descriptor();                                \
		change;                                                                            \
		assert_int_equal(sealed_verdict(&desc), wanted);                                   \
	} while (0)

static void verdicts(void **state)
{
	EXPECT(, SCAPH_DESCRIPTOR_OK);
	EXPECT(desc.magic ^= 1, SCAPH_DESCRIPTOR_NO_MAGIC);
	EXPECT(desc.gen |= 1, SCAPH_DESCRIPTOR_BUSY);
	EXPECT(desc.byte_order = 0x04030201, SCAPH_DESCRIPTOR_BYTE_ORDER);
	EXPECT(desc.layout = 9, SCAPH_DESCRIPTOR_OK);
	EXPECT(desc.compatible_with = 2, SCAPH_DESCRIPTOR_TOO_NEW);
	EXPECT(desc.must_bits = 1ULL << 63, SCAPH_DESCRIPTOR_MUST_UNKNOWN);
	EXPECT(desc.may_bits = ~0ULL, SCAPH_DESCRIPTOR_OK);
	EXPECT(desc.epoch_id &= ~0xffffffULL, SCAPH_DESCRIPTOR_BAD_EPOCH);
	EXPECT(desc.epoch_id |= 0xffffff, SCAPH_DESCRIPTOR_BAD_EPOCH);
	EXPECT(desc.window_ns = 0, SCAPH_DESCRIPTOR_BAD_WINDOW);
	EXPECT(desc.window_ns = 1000000000000, SCAPH_DESCRIPTOR_OK);
	EXPECT(desc.window_ns = 1000000000001, SCAPH_DESCRIPTOR_BAD_WINDOW);
}

static void lengths(void **state)
{
	static const uint32_t bad[] = { 0,   1,	  56,	60,   632,	  639,
					641, 644, 4104, 8192, 0x80000000, 0xffffffff };
	uint8_t bytes[SCAPH_DESC_MAX_BYTES] = {};
	struct scaph_descriptor *desc = (struct scaph_descriptor *)bytes, ret;
	struct scaph_geometry geometry;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct scaph_descriptor wrong = golden_descriptor();

		wrong.desc_bytes = bad[i];
		assert_int_equal(verdict_in(&wrong, GOLDEN_SEGMENT_BYTES),
				 SCAPH_DESCRIPTOR_BAD_LENGTH);
	}
	/* A later, longer one is read; its tail counts for the checksum. */
	*desc = golden_descriptor();
	desc->desc_bytes = SCAPH_DESC_MAX_BYTES;
	bytes[4095] = 77;
	scaph_descriptor_seal(desc);
	assert_int_equal(scaph_descriptor_check(bytes, GOLDEN_SEGMENT_BYTES, &ret, &geometry),
			 SCAPH_DESCRIPTOR_OK);
	bytes[4095] = 78;
	assert_int_equal(scaph_descriptor_check(bytes, GOLDEN_SEGMENT_BYTES, &ret, &geometry),
			 SCAPH_DESCRIPTOR_BAD_CHECKSUM);
}

static void directories(void **state)
{
	EXPECT(desc.block_count = 9, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.block_count = 0, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.block_count = 1, SCAPH_DESCRIPTOR_OK);
	EXPECT(desc.blocks[0].type = 99, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[1].type = 99, SCAPH_DESCRIPTOR_OK);
	EXPECT(desc.blocks[1].type = SCAPH_BLOCK_FAST, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].stride = 0, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].stride = 32, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].stride = 96, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].count = 0, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].count = 1000, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].count = 1ULL << 21, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].count = 1ULL << 63, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].bytes += 64, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].offset = 0x1000, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].offset = 0x2040, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].offset = ~0ULL << 12, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[0].offset = desc.blocks[1].offset, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[1].offset -= 4096, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT(desc.blocks[1].offset += 4096, SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	EXPECT((desc.blocks[1].count = 1, desc.blocks[1].stride = 0xffffffc0,
		desc.blocks[1].bytes = 0xffffffc0),
	       SCAPH_DESCRIPTOR_BAD_DIRECTORY);
}

static void segment_sizes(void **state)
{
	struct scaph_descriptor desc = golden_descriptor();

	assert_int_equal(verdict_in(&desc, GOLDEN_SEGMENT_BYTES), SCAPH_DESCRIPTOR_OK);
	assert_int_equal(verdict_in(&desc, GOLDEN_SEGMENT_BYTES - 1),
			 SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	assert_int_equal(verdict_in(&desc, 0), SCAPH_DESCRIPTOR_BAD_DIRECTORY);
	assert_int_equal(verdict_in(&desc, UINT64_MAX), SCAPH_DESCRIPTOR_OK);
}

static void every_bit(void **state)
{
	for (uint32_t bit = 0; bit < 8 * sizeof(struct scaph_descriptor); bit++) {
		struct scaph_descriptor desc = golden_descriptor();

		((uint8_t *)&desc)[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(verdict_in(&desc, GOLDEN_SEGMENT_BYTES), SCAPH_DESCRIPTOR_OK);
	}
}

static void names_end(void **state)
{
	uint8_t bytes[SCAPH_DESC_MAX_BYTES] = {};
	struct scaph_descriptor desc = golden_descriptor(), ret;
	struct scaph_geometry geometry;

	memset(desc.name, 'x', sizeof(desc.name));
	scaph_descriptor_seal(&desc);
	memcpy(bytes, &desc, sizeof(desc));
	assert_int_equal(scaph_descriptor_check(bytes, GOLDEN_SEGMENT_BYTES, &ret, &geometry),
			 SCAPH_DESCRIPTOR_OK);
	assert_int_equal(strlen(ret.name), SCAPH_NAME_BYTES - 1);
}

static void placing(void **state)
{
	static const struct {
		uint64_t window_ms, slots;
	} wanted[] = { { 1, 4096 }, { 2, 2048 },  { 3, 2048 },
		       { 4, 1024 }, { 20, 1024 }, { 1000, 1024 } };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct scaph_descriptor desc = golden_descriptor();
		uint64_t bytes;

		desc.window_ns = wanted[i].window_ms * 1000000;
		scaph_descriptor_place_rings(&desc, &bytes);
		assert_int_equal(desc.blocks[0].count, wanted[i].slots);
		assert_int_equal(bytes, 0x2000 + (wanted[i].slots + 1024) * 64);
		scaph_descriptor_seal(&desc);
		assert_int_equal(verdict_in(&desc, bytes), SCAPH_DESCRIPTOR_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),    cmocka_unit_test(lengths),
		cmocka_unit_test(directories), cmocka_unit_test(segment_sizes),
		cmocka_unit_test(every_bit),   cmocka_unit_test(names_end),
		cmocka_unit_test(placing),
	};

	return cmocka_run_group_tests_name("descriptor", tests, NULL, NULL);
}
