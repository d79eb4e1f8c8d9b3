/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor_stream_test.c - one epoch: every record in order, and what becomes of those that are not
 */
#include "cursor_bench.h"

#include "proto/seq.h"
#include "proto/slot.h"

static void test_unproven_until_something_moves(void **state)
{
	struct bench *bench = *state;

	bench_publish(bench, 5);
	bench_open(bench, bench->mode);
	for (int i = 0; i < 1000; i++) {
		bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
		assert_int_equal(bench_latest(bench), SCAPH_CURSOR_UNPROVEN);
		bench->now_ns += 10 * MS;
	}
	assert_false(scaph_cursor_proven(bench->cursor));
	assert_string_equal(scaph_cursor_descriptor(bench->cursor)->name, "guest");
	/* A record proves it; the stream begins at the newest of the moment of attach. */
	bench_publish(bench, 2);
	bench_expect_record(bench, 4);
	assert_true(scaph_cursor_proven(bench->cursor));
	assert_int_equal(bench_drain(bench, 5), 2);
}

static void test_beat_proves(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 3);
	bench_expect_record(bench, 2);
	bench_expect(bench, SCAPH_CURSOR_EMPTY);
}

/* Bytes of an earlier moment put back are a movement, but no sign of life. */
static void test_movement_backwards_proves_nothing(void **state)
{
	struct bench *bench = *state;

	bench_publish(bench, 9);
	scaph_writer_beat(&bench->writer);
	bench_open(bench, bench->mode);
	bench_head(bench)[0] = scaph_seq_complete(bench->writer.tag, 3);
	bench_head(bench)[2] -= 1;
	bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
	bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
	bench_publish(bench, 1);
	bench_expect_record(bench, 8);
}

static void test_before_the_first_record(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 0);
	bench_expect(bench, SCAPH_CURSOR_EMPTY);
	bench_publish(bench, 3);
	assert_int_equal(bench_drain(bench, 0), 3);
}

static void test_wrap_of_the_ring(void **state)
{
	struct bench *bench = *state;
	uint64_t index = 0;

	bench_live(bench, 1);
	assert_int_equal(bench_drain(bench, 0), 1);
	for (uint64_t step = 1; index < 5 * bench->slots; step = step * 2 % 1009) {
		bench_publish(bench, step);
		assert_int_equal(bench_drain(bench, index + 1), step);
		index += step;
		bench->now_ns += WINDOW_NS * step;
	}
	assert_int_equal(scaph_cursor_counts(bench->cursor).lost, 0);
	assert_int_equal(scaph_cursor_counts(bench->cursor).delivered, index + 1);
}

/* A whole ring at once is still all there: the slot being overwritten next is the oldest. */
static void test_full_ring(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 1);
	assert_int_equal(bench_drain(bench, 0), 1);
	bench_publish(bench, bench->slots);
	assert_int_equal(bench_drain(bench, 1), bench->slots);
}

static void test_lapped(void **state)
{
	struct bench *bench = *state;
	uint64_t index, published;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	bench_publish(bench, 3 * bench->slots + 17);
	published = bench->writer.next_index;
	bench->now_ns += WINDOW_NS; /* at once, not after a silence */
	bench_expect(bench, SCAPH_CURSOR_LOST);
	index = 1 + bench->lost;
	assert_true(index > published - bench->slots);
	assert_true(index <= published - bench->slots * 3 / 4);
	assert_int_equal(bench_drain(bench, index), published - index);
	assert_int_equal(scaph_cursor_counts(bench->cursor).lost, bench->lost);
	assert_int_equal(scaph_cursor_counts(bench->cursor).delivered, 1 + published - index);
}

/* Lapped again before the first look after a jump: the room grows, and all is counted. */
static void test_lapped_again_and_again(void **state)
{
	struct bench *bench = *state;
	uint64_t lost = 0, delivered = 1;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	for (int round = 0; round < 50; round++) {
		bench_publish(bench, bench->slots + 5);
		bench->now_ns += WINDOW_NS;
		/* In snapshot mode records may be in hand that the ring no longer holds. */
		while (bench_next(bench) != SCAPH_CURSOR_LOST) {
			assert_int_equal(bench->mode, SCAPH_MODE_SNAPSHOT);
			assert_int_equal(scaph_seq_index(bench->slot.seq), lost + delivered);
			delivered++;
		}
		lost += bench->lost;
	}
	bench->now_ns += WINDOW_NS;
	delivered += bench_drain(bench, delivered + lost);
	assert_int_equal(lost + delivered, bench->writer.next_index);
}

static void break_slot(struct bench *bench, uint64_t index, int how)
{
	uint64_t *word = bench_slot(bench, index);

	switch (how) {
	case 0:
		word[2] ^= 1; /* torn, its number whole */
		break;
	case 1:
		word[0] -= 1; /* its writer died there */
		break;
	case 2:
		memset(word, 0, SCAPH_SLOT_BYTES);
		break;
	case 3:
		word[0] = scaph_seq_complete(0x123, index); /* another epoch's */
		break;
	case 4:
		word[0] -= 2 * bench->slots; /* old bytes put back */
		break;
	default:
		word[7] ^= 1ULL << 63;
	}
}

/* Each kind of hole is lost exactly, after a silence only, and never before its head was seen. */
static void test_hole(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 2 * bench->slots);
	assert_int_equal(bench_drain(bench, 2 * bench->slots - 1), 1);
	for (int how = 0; how < 6; how++) {
		uint64_t index = bench->writer.next_index;

		bench_publish(bench, 10);
		break_slot(bench, index + 4, how);
		for (uint64_t i = 0; i < 4; i++)
			bench_expect_record(bench, index + i);
		if (how != 3) { /* a foreign tag asks for a look sooner */
			bench_expect(bench, SCAPH_CURSOR_EMPTY);
			bench->now_ns += LIMIT_NS - 1;
			bench_expect(bench, SCAPH_CURSOR_EMPTY);
			bench->now_ns++;
		}
		assert_int_equal(bench_wait(bench, 0), SCAPH_CURSOR_LOST);
		assert_int_equal(bench->lost, 1);
		assert_int_equal(bench_drain(bench, index + 5), 5);
		bench->now_ns += WINDOW_NS;
	}
	assert_int_equal(scaph_cursor_counts(bench->cursor).lost, 6);
}

/* As a restore leaves it: a long run of old slots. One silence pays for all of it. */
static void test_long_hole(void **state)
{
	struct bench *bench = *state;
	uint64_t lost = 0, delivered = 0, start_ns;
	int event;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	bench_publish(bench, 700);
	for (uint64_t index = 1; index < 650; index++) {
		if (index % 100)
			break_slot(bench, index, (int)(index % 6));
	}
	start_ns = bench->now_ns;
	while (lost + delivered < 700) {
		event = bench_wait(bench, LIMIT_NS + 20 * MS);
		if (event == SCAPH_CURSOR_LOST) {
			lost += bench->lost;
		} else {
			assert_int_equal(event, SCAPH_CURSOR_RECORD);
			delivered++;
		}
	}
	assert_int_equal(delivered, 6 + 51);
	assert_int_equal(scaph_seq_index(bench->slot.seq), 700);
	assert_true(bench->now_ns - start_ns <= LIMIT_NS + 20 * MS);
}

/* Busy for ever, nothing behind it: silence, not loss; and it goes on when the record is there. */
static void test_busy_is_waited_for(void **state)
{
	struct bench *bench = *state;
	uint64_t *word, seq;

	bench_live(bench, 3);
	assert_int_equal(bench_drain(bench, 2), 1);
	bench_publish(bench, 1);
	word = bench_slot(bench, 3);
	seq = word[0];
	word[0] = seq - 1;
	*bench_head(bench) = scaph_seq_complete(bench->writer.tag, 2);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(bench_wait(bench, 2 * LIMIT_NS), SCAPH_CURSOR_STALE);
		bench->now_ns += 100 * MS;
	}
	word[0] = seq;
	bench_expect_record(bench, 3);
}

static void test_last_index_of_an_epoch(void **state)
{
	struct bench *bench = *state;

	bench_writer_at(bench, SCAPH_INDEX_MAX - 4);
	bench_live(bench, 1);
	bench_expect_record(bench, SCAPH_INDEX_MAX - 4);
	bench->now_ns += WINDOW_NS;
	bench_publish(bench, 4);
	/* What stands after it, well made but for its number, is no record. */
	memcpy(bench_slot(bench, SCAPH_INDEX_MAX + 1), bench_slot(bench, SCAPH_INDEX_MAX),
	       SCAPH_SLOT_BYTES);
	bench_slot(bench, SCAPH_INDEX_MAX + 1)[0] += 2;
	scaph_slot_seal(bench->writer.fast_prefix,
			(struct scaph_slot *)bench_slot(bench, SCAPH_INDEX_MAX + 1));
	assert_int_equal(bench_drain(bench, SCAPH_INDEX_MAX - 3), 4);
	bench->now_ns += WINDOW_NS;
	bench_expect(bench, SCAPH_CURSOR_EMPTY);
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_RECORD);
	assert_int_equal(bench_wait(bench, 2 * LIMIT_NS), SCAPH_CURSOR_STALE);
	bench_adopt(bench, EPOCH_B);
	bench_publish(bench, 1);
	bench->now_ns += LIMIT_NS;
	bench_expect(bench, SCAPH_CURSOR_EPOCH);
}

/* A record that this code must not use is gone for its reader, and is counted. */
static void test_unknown_critical_flag(void **state)
{
	struct bench *bench = *state;
	struct scaph_slot record = { .flags = SCAPH_FLAG_PACKAGE | 1U << 6 };

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	scaph_writer_publish(&bench->writer, &record);
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_EMPTY);
	bench_publish(bench, 1);
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_RECORD);
	bench_expect(bench, SCAPH_CURSOR_LOST);
	assert_int_equal(bench->lost, 1);
	bench_expect_record(bench, 2);
}

/*
 * One copy holding slot k old and k + 1 new, as a pread near a busy writer does: delivery stops at
 * k, nothing is lost, and the next copy goes on.
 */
static void test_one_copy_loses_nothing(void **state)
{
	struct bench *bench = *state;
	uint8_t late[SCAPH_SLOT_BYTES];

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	bench_publish(bench, 8);
	memcpy(late, bench_slot(bench, 4), sizeof(late));
	memset(bench_slot(bench, 4), 0, sizeof(late));
	bench->now_ns += 8 * WINDOW_NS;
	assert_int_equal(bench_drain(bench, 1), 3);
	memcpy(bench_slot(bench, 4), late, sizeof(late));
	assert_int_equal(bench_drain(bench, 4), 5);
	assert_int_equal(scaph_cursor_counts(bench->cursor).lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH_MODES(test_unproven_until_something_moves),
		IN_BOTH_MODES(test_beat_proves),
		IN_BOTH_MODES(test_movement_backwards_proves_nothing),
		IN_BOTH_MODES(test_before_the_first_record),
		IN_BOTH_MODES(test_wrap_of_the_ring),
		IN_BOTH_MODES(test_full_ring),
		IN_BOTH_MODES(test_lapped),
		IN_BOTH_MODES(test_lapped_again_and_again),
		IN_BOTH_MODES(test_hole),
		IN_BOTH_MODES(test_long_hole),
		IN_BOTH_MODES(test_busy_is_waited_for),
		IN_BOTH_MODES(test_last_index_of_an_epoch),
		IN_BOTH_MODES(test_unknown_critical_flag),
		IN_BOTH_MODES(test_one_copy_loses_nothing),
	};

	return cmocka_run_group_tests_name("cursor stream", tests, NULL, NULL);
}
