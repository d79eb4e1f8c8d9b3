/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot_test.c - numbers, classification and status blocks
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/proto/golden.h"

#define TAG 0xabcdefU

static uint32_t fast_prefix(void)
{
	return scaph_slot_prefix(GOLDEN_EPOCH, golden_uuid, SCAPH_BLOCK_FAST);
}

static struct scaph_slot slot_at(uint64_t seq)
{
	struct scaph_slot slot = { .seq = seq, .package_uj = 12345, .flags = SCAPH_FLAG_PACKAGE };

	scaph_slot_seal(fast_prefix(), &slot);
	return slot;
}

static enum scaph_slot_class class_of(uint64_t seq, uint64_t expected_index)
{
	struct scaph_slot slot = slot_at(seq);

	return scaph_slot_classify(&slot, TAG, expected_index, fast_prefix());
}

static void numbers(void **state)
{
	static const uint64_t indexes[] = { 0, 1, 1023, 1ULL << 32, SCAPH_INDEX_MAX };

	for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
		uint64_t seq = scaph_seq_complete(TAG, indexes[i]);

		assert_int_equal(scaph_seq_tag(seq), TAG);
		assert_int_equal(scaph_seq_index(seq), indexes[i]);
		assert_false(scaph_seq_is_busy(seq));
		assert_true(scaph_seq_is_busy(scaph_seq_busy(TAG, indexes[i])));
		assert_int_equal(scaph_seq_tag(scaph_seq_busy(TAG, indexes[i])), TAG);
	}
	/* The example of SPEC.md. */
	assert_int_equal(scaph_seq_complete(TAG, 5), 0xabcdef000000000c);
	assert_int_equal(scaph_seq_busy(TAG, 5), 0xabcdef000000000b);
	/* The greatest number of one epoch stays below the next tag's first. */
	assert_true(scaph_seq_complete(TAG, SCAPH_INDEX_MAX) < scaph_seq_before_first(TAG + 1));
	assert_true(scaph_seq_complete(0xfffffe, SCAPH_INDEX_MAX) < UINT64_MAX);
	assert_false(scaph_epoch_id_usable(0xff000000));
	assert_false(scaph_epoch_id_usable(0x00ffffff));
	assert_true(scaph_epoch_id_usable(1));
}

static void classes(void **state)
{
	assert_int_equal(class_of(scaph_seq_complete(TAG, 7), 7), SCAPH_SLOT_OK);
	assert_int_equal(class_of(0, 7), SCAPH_SLOT_EMPTY);
	assert_int_equal(class_of(scaph_seq_complete(TAG + 1, 7), 7), SCAPH_SLOT_FOREIGN);
	assert_int_equal(class_of(scaph_seq_complete(TAG - 1, 7), 7), SCAPH_SLOT_FOREIGN);
	assert_int_equal(class_of(scaph_seq_busy(TAG, 7), 7), SCAPH_SLOT_BUSY);
	assert_int_equal(class_of(scaph_seq_busy(TAG, 7 + 1024), 7), SCAPH_SLOT_BUSY);
	assert_int_equal(class_of(scaph_seq_complete(TAG, 6), 7), SCAPH_SLOT_OLD);
	assert_int_equal(class_of(scaph_seq_before_first(TAG), 0), SCAPH_SLOT_OLD);
	assert_int_equal(class_of(scaph_seq_complete(TAG, 7 + 1024), 7), SCAPH_SLOT_LAPPED);
	assert_int_equal(class_of(scaph_seq_complete(TAG, SCAPH_INDEX_MAX), SCAPH_INDEX_MAX),
			 SCAPH_SLOT_OK);
}

static void every_bit(void **state)
{
	for (uint32_t bit = 0; bit < 8 * sizeof(struct scaph_slot); bit++) {
		struct scaph_slot slot = slot_at(scaph_seq_complete(TAG, 7));

		((uint8_t *)&slot)[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(scaph_slot_classify(&slot, TAG, 7, fast_prefix()),
				     SCAPH_SLOT_OK);
	}
}

/* A record is bound to its epoch, its domain and its ring: bytes moved elsewhere do not verify. */
static void bound_to_its_place(void **state)
{
	struct scaph_slot slot = slot_at(scaph_seq_complete(TAG, 7));
	uint8_t other[SCAPH_UUID_BYTES] = { 1 };

	assert_int_equal(
		scaph_slot_classify(&slot, TAG, 7,
				    scaph_slot_prefix(GOLDEN_EPOCH, golden_uuid, SCAPH_BLOCK_SLOW)),
		SCAPH_SLOT_BAD);
	assert_int_equal(
		scaph_slot_classify(&slot, TAG, 7,
				    scaph_slot_prefix(GOLDEN_EPOCH, other, SCAPH_BLOCK_FAST)),
		SCAPH_SLOT_BAD);
	assert_int_equal(scaph_slot_classify(&slot, TAG, 7,
					     scaph_slot_prefix(GOLDEN_EPOCH ^ 1ULL << 63,
							       golden_uuid, SCAPH_BLOCK_FAST)),
			 SCAPH_SLOT_BAD);
}

static void critical_flags(void **state)
{
	struct scaph_slot slot = { .flags = 0x3f1f };

	assert_true(scaph_slot_usable(&slot));
	for (int bit = 5; bit <= 7; bit++) {
		slot.flags = (uint16_t)(1U << bit);
		assert_false(scaph_slot_usable(&slot));
	}
}

static enum scaph_status_verdict status_verdict(const struct scaph_status *status,
						uint64_t epoch_id)
{
	uint8_t bytes[SCAPH_STATUS_MAX_BYTES] = {};
	struct scaph_status ret = { .gen = 43 };
	enum scaph_status_verdict verdict;

	memcpy(bytes, status, sizeof(*status));
	verdict = scaph_status_check(bytes, epoch_id, &ret);
	assert_int_equal(ret.gen == 43, verdict != SCAPH_STATUS_OK);
	return verdict;
}

static void statuses(void **state)
{
	static const uint32_t bad[] = { 0, 248, 257, 260, 3848, 0xffffffff };
	struct scaph_status status = golden_status();

	assert_int_equal(status_verdict(&status, GOLDEN_EPOCH), SCAPH_STATUS_OK);
	assert_int_equal(status_verdict(&status, GOLDEN_EPOCH + 1), SCAPH_STATUS_FOREIGN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		status = golden_status();
		status.status_bytes = bad[i];
		assert_int_equal(status_verdict(&status, GOLDEN_EPOCH), SCAPH_STATUS_BAD);
	}
	status = golden_status();
	status.gen |= 1;
	assert_int_equal(status_verdict(&status, GOLDEN_EPOCH), SCAPH_STATUS_BUSY);
	for (uint32_t bit = 0; bit < 8 * sizeof(status); bit++) {
		status = golden_status();
		((uint8_t *)&status)[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(status_verdict(&status, GOLDEN_EPOCH), SCAPH_STATUS_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),	  cmocka_unit_test(classes),
		cmocka_unit_test(every_bit),	  cmocka_unit_test(bound_to_its_place),
		cmocka_unit_test(critical_flags), cmocka_unit_test(statuses),
	};

	return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
