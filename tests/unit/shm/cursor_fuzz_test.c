/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor_fuzz_test.c - any bytes at all: no crash, no endless call, no record but the writer's
 *
 * A living segment is scribbled over again and again while its writer goes on; every record handed
 * out must be one that the writer made, and none comes twice. The counts follow
 * SCAPH_TEST_PERCENT; the seed is fixed and SCAPH_TEST_SEED sets another.
 */
#include "cursor_bench.h"

#include <stdio.h>

#include "proto/descriptor.h"
#include "proto/seq.h"
#include "shm/guard.h"

#define ROUNDS 300000U

static uint64_t random_state;

static uint64_t random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint32_t rounds(void)
{
	const char *percent = getenv("SCAPH_TEST_PERCENT"), *seed = getenv("SCAPH_TEST_SEED");

	random_state = seed ? strtoull(seed, NULL, 0) | 1 : 0x9e3779b97f4a7c15ULL;
	return (uint32_t)(ROUNDS / 100 * (percent ? strtoul(percent, NULL, 10) : 100));
}

static uint64_t *random_place(struct bench *bench)
{
	uint64_t words = bench->bytes / 8;

	switch (random_word() % 4) {
	case 0:
		words = SCAPH_PREFIX_BYTES / 8;
		break;
	case 1:
		return bench_head(bench) + random_word() % 3;
	case 2:
		words = sizeof(struct scaph_descriptor) / 8;
		break;
	}
	return (uint64_t *)bench->map + random_word() % words;
}

/* Something that looks like what could stand there, or plain noise. */
static uint64_t random_value(struct bench *bench, uint64_t old)
{
	uint64_t index = bench->writer.next_index;

	switch (random_word() % 8) {
	case 0:
		return random_word();
	case 1:
		return old ^ 1ULL << random_word() % 64;
	case 2:
		return 0;
	case 3:
		return UINT64_MAX;
	case 4:
		return scaph_seq_complete(bench->writer.tag, index - random_word() % 2000);
	case 5:
		return scaph_seq_complete(bench->writer.tag, index + random_word() % 5000);
	case 6:
		return scaph_seq_busy(bench->writer.tag, random_word() % SCAPH_INDEX_MAX);
	default:
		return old + random_word() % 5 - 2;
	}
}

/* Sealed again after the damage: only the checks on the fields stand between it and the reader. */
static void sealed_descriptor(struct bench *bench)
{
	struct scaph_descriptor desc;
	uint64_t *word = (uint64_t *)&desc + 2 + random_word() % (sizeof(desc) / 8 - 2);

	memcpy(&desc, bench->map, sizeof(desc));
	*word = random_word() % 2 ? random_word() : *word ^ 1ULL << random_word() % 64;
	if (desc.desc_bytes > SCAPH_DESC_MAX_BYTES)
		return;
	if (desc.desc_bytes >= sizeof(desc)) {
		uint8_t page[SCAPH_DESC_MAX_BYTES];

		memcpy(page, bench->map, sizeof(page));
		memcpy(page, &desc, sizeof(desc));
		scaph_descriptor_seal((struct scaph_descriptor *)page);
		memcpy(&desc, page, sizeof(desc));
	}
	memcpy(bench->map, &desc, sizeof(desc));
}

/* Returns whether the cursor was sent back. */
static bool ask_everything(struct bench *bench)
{
	struct scaph_status status;
	struct scaph_slot slot;
	uint64_t index;

	bench_latest(bench);
	scaph_cursor_at(bench->cursor, 1 + random_word() % 2, random_word() % 5000, &slot);
	scaph_cursor_head(bench->cursor, 1 + random_word() % 2, &index);
	scaph_cursor_status(bench->cursor, &status);
	scaph_cursor_due_ns(bench->cursor, bench->now_ns, random_word());
	scaph_cursor_descriptor(bench->cursor);
	scaph_cursor_refusal(bench->cursor);
	return random_word() % 64 == 0 && scaph_cursor_rewind(bench->cursor) == 0;
}

static void test_scribbled_over(void **state)
{
	struct bench *bench = *state;
	uint64_t events[SCAPH_CURSOR_REFUSED + 1] = {}, epoch = EPOCH_A, next = 0;
	uint32_t count = rounds();

	assert_int_equal(scaph_guard_install(), 0);
	bench_live(bench, 10);
	for (uint32_t round = 0; round < count; round++) {
		for (uint64_t i = random_word() % 8; i; i--) {
			uint64_t *place = random_place(bench);

			*place = random_value(bench, *place);
		}
		if (random_word() % 8 == 0)
			sealed_descriptor(bench);
		bench_publish(bench, random_word() % 16);
		if (random_word() % 4 == 0)
			scaph_writer_refresh(&bench->writer);
		if (random_word() % 512 == 0) {
			bench_adopt(bench, epoch += 2);
			next = 0;
		}
		if (random_word() % 2048 == 0) {
			bench_open(bench, bench->mode);
			next = 0;
		}
		/* check_record() in the bench: whatever is handed out is what was published. */
		for (uint64_t i = random_word() % 8; i; i--) {
			int event = bench_next(bench);

			assert_true(event >= 0 && event <= SCAPH_CURSOR_REFUSED);
			events[event]++;
			if (event != SCAPH_CURSOR_RECORD ||
			    scaph_seq_tag(bench->slot.seq) != bench->writer.tag)
				continue;
			assert_true(scaph_seq_index(bench->slot.seq) >= next);
			next = scaph_seq_index(bench->slot.seq) + 1;
			assert_true(next <= bench->writer.next_index);
		}
		if (random_word() % 16 == 0 && ask_everything(bench))
			next = 0;
		bench->now_ns += random_word() % (300 * MS);
	}
	/* A run that never met one of them proved less than it says. */
	for (int event = 0; event <= SCAPH_CURSOR_REFUSED; event++)
		assert_true(events[event] > 0 || event == SCAPH_CURSOR_REFUSED);
	assert_true(events[SCAPH_CURSOR_RECORD] > count / 10);
}

static void test_noise(void **state)
{
	struct bench *bench = *state;
	uint32_t count = rounds() / 300;

	for (uint32_t round = 0; round < count; round++) {
		for (uint64_t at = 0; at < bench->bytes / 8; at++)
			((uint64_t *)bench->map)[at] = random_word();
		if (round % 2)
			((uint64_t *)bench->map)[0] = SCAPH_MAGIC;
		bench_open(bench, bench->mode);
		for (int i = 0; i < 20; i++) {
			int event = bench_next(bench);

			assert_true(event == SCAPH_CURSOR_REFUSED ||
				    event == SCAPH_CURSOR_UNPROVEN);
			ask_everything(bench);
			bench->now_ns += 100 * MS;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH_MODES(test_scribbled_over),
		IN_BOTH_MODES(test_noise),
	};

	return cmocka_run_group_tests_name("cursor fuzz", tests, NULL, NULL);
}
