/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor_history_test.c - latest, single records, rewind, status, and when to look next
 */
#include "cursor_bench.h"

#include <unistd.h>

#include "proto/seq.h"
#include "shm/pace.h"

static uint64_t newest_index(struct bench *bench)
{
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_RECORD);
	return scaph_seq_index(bench->slot.seq);
}

static void test_latest(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 0);
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_EMPTY);
	for (uint64_t i = 0; i < 3 * bench->slots; i++) {
		bench_publish(bench, 1);
		assert_int_equal(newest_index(bench), i);
		bench->now_ns += WINDOW_NS;
	}
	/* The cursor has not moved: it was lapped. */
	bench_expect(bench, SCAPH_CURSOR_LOST);
}

/* The same record is an answer while it is the newest of a living writer, and none afterwards. */
static void test_latest_goes_stale(void **state)
{
	struct bench *bench = *state;
	uint64_t from_ns;
	int event;

	bench_live(bench, 3);
	for (int round = 0; round < 5; round++) {
		bench_publish(bench, 1);
		from_ns = bench->now_ns;
		while ((event = bench_latest(bench)) == SCAPH_CURSOR_RECORD)
			bench->now_ns += 10 * MS;
		assert_int_equal(event, SCAPH_CURSOR_STALE);
		assert_int_equal(bench->now_ns - from_ns, LIMIT_NS);
		/* Neither beat nor a moving head with nothing behind it change that. */
		for (int i = 0; i < 100; i++) {
			scaph_writer_beat(&bench->writer);
			bench_head(bench)[0] += 2;
			event = bench_latest(bench);
			assert_true(event == SCAPH_CURSOR_STALE || event == SCAPH_CURSOR_EMPTY);
			bench->now_ns += 50 * MS;
		}
	}
}

/* Records taken by next() are known to latest(), whose silence begins with the last of them. */
static void test_latest_after_next(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 3);
	for (int i = 0; i < 100; i++) {
		bench_publish(bench, 1);
		bench->now_ns += WINDOW_NS;
		while (bench_next(bench) == SCAPH_CURSOR_RECORD)
			;
	}
	assert_int_equal(newest_index(bench), 102);
	/* Nor do they disturb each other. */
	bench_publish(bench, 10);
	bench->now_ns += WINDOW_NS;
	for (uint64_t i = 103; i < 113; i++) {
		bench_expect_record(bench, i);
		assert_int_equal(newest_index(bench), 112);
	}
	bench->now_ns += LIMIT_NS;
	assert_int_not_equal(bench_latest(bench), SCAPH_CURSOR_RECORD);
}

static void test_latest_never_steps_back(void **state)
{
	struct bench *bench = *state;
	uint8_t *old = malloc(bench->bytes);

	bench_live(bench, 3);
	memcpy(old, bench->map, bench->bytes);
	bench_publish(bench, 10);
	assert_int_equal(newest_index(bench), 12);
	memcpy(bench->map, old, bench->bytes);
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_EMPTY);
	bench_publish(bench, 1);
	assert_int_equal(newest_index(bench), 13);
	free(old);
}

/* The newest is torn or busy: no figure rather than a wrong one, and no older one either. */
static void test_latest_torn(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 3);
	for (int how = 0; how < 3; how++) {
		bench_publish(bench, 1);
		bench_slot(bench, bench->writer.next_index - 1)[how ? how * 3 : 0] ^= 1;
		assert_int_equal(bench_latest(bench), SCAPH_CURSOR_EMPTY);
		bench_publish(bench, 1);
		assert_int_equal(newest_index(bench), bench->writer.next_index - 1);
	}
	assert_true(scaph_cursor_counts(bench->cursor).retries > 0);
}

static void test_at(void **state)
{
	struct bench *bench = *state;
	struct scaph_slot slot;
	uint64_t index, last;

	assert_true(bench->slots == 1024);
	bench_publish(bench, 1);
	bench_open(bench, bench->mode);
	assert_int_equal(scaph_cursor_at(bench->cursor, SCAPH_BLOCK_FAST, 0, &slot),
			 SCAPH_CURSOR_EMPTY);
	bench_publish(bench, 3000);
	bench_expect(bench, SCAPH_CURSOR_LOST);
	last = bench->writer.next_index - 1;
	for (index = 0; index < last + 100; index++) {
		int expected = index + bench->slots <= last ? SCAPH_CURSOR_LOST
			       : index > last		    ? SCAPH_CURSOR_EMPTY
							    : SCAPH_CURSOR_RECORD;

		assert_int_equal(scaph_cursor_at(bench->cursor, SCAPH_BLOCK_FAST, index, &slot),
				 expected);
		if (expected == SCAPH_CURSOR_RECORD) {
			assert_int_equal(scaph_seq_index(slot.seq), index);
			assert_int_equal(slot.idle_uj, index);
		}
	}
	bench_slot(bench, last - 3)[1] ^= 4;
	bench_expect(bench, SCAPH_CURSOR_RECORD); /* other copies than at()'s */
	assert_int_equal(scaph_cursor_at(bench->cursor, SCAPH_BLOCK_FAST, last - 3, &slot),
			 SCAPH_CURSOR_LOST);
	assert_int_equal(scaph_cursor_at(bench->cursor, SCAPH_BLOCK_FAST, UINT64_MAX, &slot),
			 SCAPH_CURSOR_EMPTY);
	assert_int_equal(scaph_cursor_at(bench->cursor, 77, 0, &slot), SCAPH_CURSOR_EMPTY);
}

static void test_slow_ring(void **state)
{
	struct bench *bench = *state;
	struct scaph_slot slot;
	uint64_t index;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	assert_int_equal(scaph_cursor_head(bench->cursor, SCAPH_BLOCK_SLOW, &index),
			 SCAPH_CURSOR_EMPTY);
	assert_int_equal(scaph_cursor_at(bench->cursor, SCAPH_BLOCK_SLOW, 0, &slot),
			 SCAPH_CURSOR_EMPTY);
	for (int i = 0; i < 60; i++) {
		bench_publish(bench, 50);
		scaph_writer_publish_slow(&bench->writer, &bench->newest);
	}
	assert_int_equal(scaph_cursor_head(bench->cursor, SCAPH_BLOCK_SLOW, &index), 0);
	assert_int_equal(index, 59);
	for (index = 0; index < 60; index++) {
		assert_int_equal(scaph_cursor_at(bench->cursor, SCAPH_BLOCK_SLOW, index, &slot),
				 SCAPH_CURSOR_RECORD);
		assert_int_equal(scaph_seq_index(slot.seq), index);
		assert_int_equal(slot.idle_uj, 50 * (index + 1));
	}
	assert_int_equal(scaph_cursor_at(bench->cursor, SCAPH_BLOCK_SLOW, 60, &slot),
			 SCAPH_CURSOR_EMPTY);
	/* A record of the fast ring is none of the slow one's, whatever its number. */
	memcpy(bench->map + bench->desc.blocks[1].offset + 5 * SCAPH_SLOT_BYTES,
	       bench_slot(bench, 5 + 2048), SCAPH_SLOT_BYTES);
	bench_expect(bench, SCAPH_CURSOR_LOST);
	assert_int_equal(scaph_cursor_at(bench->cursor, SCAPH_BLOCK_SLOW, 5, &slot),
			 SCAPH_CURSOR_LOST);
}

/* Copies of one ring are none of the other's, though number and epoch be the same. */
static void test_rings_are_apart(void **state)
{
	struct bench *bench = *state;
	struct scaph_slot slot;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	for (int i = 0; i < 10; i++) {
		bench_publish(bench, 5);
		scaph_writer_publish_slow(&bench->writer, &bench->newest);
	}
	for (uint64_t i = 0; i < 10; i++) {
		assert_int_equal(scaph_cursor_at(bench->cursor, SCAPH_BLOCK_SLOW, i, &slot),
				 SCAPH_CURSOR_RECORD);
		assert_int_equal(slot.idle_uj, 5 * (i + 1));
		bench_expect_record(bench, i + 1);
	}
}

/* Without a guard: a look finds that the file was cut before it touches what is gone. */
static void test_look_at_a_cut_file(void **state)
{
	struct bench *bench = *state;
	struct scaph_status status;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	assert_int_equal(ftruncate(bench->fd, 0), 0);
	assert_true(scaph_cursor_status(bench->cursor, &status) < 0);
	assert_int_equal(ftruncate(bench->fd, (off_t)bench->bytes), 0);
}

static void test_rewind(void **state)
{
	struct bench *bench = *state;
	uint64_t count;

	bench_live(bench, 100);
	bench_expect_record(bench, 99);
	assert_int_equal(scaph_cursor_rewind(bench->cursor), 0);
	assert_int_equal(bench_drain(bench, 0), 100);
	bench_publish(bench, 2000);
	bench->now_ns += WINDOW_NS;
	bench_expect(bench, SCAPH_CURSOR_LOST);
	while (bench_next(bench) == SCAPH_CURSOR_RECORD)
		;
	assert_int_equal(scaph_cursor_rewind(bench->cursor), 0);
	count = bench->slots - bench->slots / 8;
	assert_int_equal(bench_drain(bench, 2100 - count), count);
	/* A hole on the way is known to be one at once. */
	bench_slot(bench, 2000)[3] ^= 1;
	assert_int_equal(scaph_cursor_rewind(bench->cursor), 0);
	bench->now_ns += WINDOW_NS;
	for (uint64_t i = 2100 - count; i < 2000; i++)
		bench_expect_record(bench, i);
	bench->now_ns += WINDOW_NS;
	bench_expect(bench, SCAPH_CURSOR_LOST);
	assert_int_equal(bench->lost, 1);
	assert_int_equal(bench_drain(bench, 2001), 99);
}

static void test_status(void **state)
{
	struct bench *bench = *state;
	struct scaph_status status = { .state = SCAPH_STATE_PAUSED,
				       .reasons = SCAPH_REASON_RATE_LOW,
				       .valid = SCAPH_STATUS_RATE,
				       .record_rate_millihz = 49000 };
	struct scaph_status read = { .state = 99 };

	bench_live(bench, 1);
	scaph_writer_set_status(&bench->writer, &status);
	bench_expect_record(bench, 0);
	assert_int_equal(scaph_cursor_status(bench->cursor, &read), 0);
	assert_int_equal(read.state, SCAPH_STATE_PAUSED);
	assert_int_equal(read.reasons, SCAPH_REASON_RATE_LOW);
	assert_int_equal(read.record_rate_millihz, 49000);
	for (uint32_t word = 0; word < 31; word++) {
		uint64_t *at = (uint64_t *)(bench->map + SCAPH_STATUS_OFFSET) + word;

		/* Word 0 is its generation: odd while it is written. */
		*at ^= word ? 1ULL << (word % 64) : 1;
		read.state = 99;
		assert_int_equal(scaph_cursor_status(bench->cursor, &read), SCAPH_CURSOR_EMPTY);
		assert_int_equal(read.state, 99);
		scaph_writer_refresh(&bench->writer);
		assert_int_equal(scaph_cursor_status(bench->cursor, &read), 0);
	}
	bench_publish(bench, 1);
	bench->now_ns += WINDOW_NS;
	bench_expect_record(bench, 1);
}

/* Records 3 ms after their window's end: the reader is asked back just then, and batches hold. */
static void test_due(void **state)
{
	struct bench *bench = *state;
	uint64_t start_ns = bench->now_ns, due_ns, before_ns;

	bench_live(bench, 0);
	due_ns = scaph_cursor_due_ns(bench->cursor, bench->now_ns, 0);
	assert_true(due_ns > bench->now_ns && due_ns <= bench->now_ns + 50 * MS);
	for (uint64_t i = 0; i < 50; i++) {
		bench->now_ns = start_ns + i * WINDOW_NS + 3 * MS + i % 3 * MS;
		bench_publish(bench, 1);
		bench_expect_record(bench, i);
		due_ns = scaph_cursor_due_ns(bench->cursor, bench->now_ns, 0);
		assert_true(due_ns >= start_ns + (i + 1) * WINDOW_NS + 3 * MS);
		if (i >= 3)
			assert_true(due_ns < start_ns + (i + 1) * WINDOW_NS + 3 * MS + MS / 10);
		due_ns = scaph_cursor_due_ns(bench->cursor, bench->now_ns, 100 * MS);
		assert_int_equal(due_ns, bench->now_ns + 100 * MS);
	}
	/* It does not come: the looks grow apart, never more than a second. */
	before_ns = bench->now_ns;
	for (int i = 0; i < 40; i++) {
		bench->now_ns = scaph_cursor_due_ns(bench->cursor, bench->now_ns, 0);
		assert_true(bench->now_ns > before_ns);
		assert_true(bench->now_ns <= before_ns + 1000 * MS);
		before_ns = bench->now_ns;
	}
	due_ns = scaph_cursor_due_ns(bench->cursor, bench->now_ns, UINT64_MAX);
	assert_int_equal(due_ns, bench->now_ns + 1000 * MS);
}

/* Times from outside can be anything. */
static void test_pace_of_nonsense(void **state)
{
	static const uint64_t times[] = { 0, 1, INT64_MAX, 1ULL << 63, UINT64_MAX, 5000000000ULL };
	const size_t count = sizeof(times) / sizeof(times[0]);

	for (size_t i = 0; i < count * count * count * count; i++) {
		struct scaph_pace pace = {};
		uint64_t window_ns = times[i / count / count % count] % 1000000000000ULL + 1;
		uint64_t now_ns = 7000000000ULL + i, due_ns;

		scaph_pace_saw(&pace, now_ns, times[i % count], window_ns);
		scaph_pace_saw(&pace, now_ns + 1, times[i / count % count], window_ns);
		for (int again = 0; again < 20; again++) {
			due_ns = scaph_pace_due_ns(&pace, now_ns, window_ns,
						   times[i / count / count / count]);
			assert_true(due_ns > now_ns && due_ns <= now_ns + 1000 * MS);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH_MODES(test_latest),
		IN_BOTH_MODES(test_latest_goes_stale),
		IN_BOTH_MODES(test_latest_after_next),
		IN_BOTH_MODES(test_latest_never_steps_back),
		IN_BOTH_MODES(test_latest_torn),
		IN_BOTH_MODES(test_at),
		IN_BOTH_MODES(test_slow_ring),
		IN_BOTH_MODES(test_rings_are_apart),
		IN_BOTH_MODES(test_look_at_a_cut_file),
		IN_BOTH_MODES(test_rewind),
		IN_BOTH_MODES(test_status),
		IN_BOTH_MODES(test_due),
		cmocka_unit_test(test_pace_of_nonsense),
	};

	return cmocka_run_group_tests_name("cursor history", tests, NULL, NULL);
}
