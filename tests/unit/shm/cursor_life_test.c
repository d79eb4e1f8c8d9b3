/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor_life_test.c - stale and live again, and a file that is not what it was
 */
#include "cursor_bench.h"

#include <unistd.h>

#include "proto/seq.h"
#include "shm/guard.h"

static void test_stale_and_live_again(void **state)
{
	struct bench *bench = *state;
	uint64_t from_ns;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	from_ns = bench->now_ns;
	for (int round = 0; round < 20; round++) {
		assert_int_equal(bench_wait(bench, LIMIT_NS + 10 * MS), SCAPH_CURSOR_STALE);
		assert_true(bench->now_ns - from_ns >= LIMIT_NS);
		assert_true(bench->now_ns - from_ns <= LIMIT_NS + 10 * MS);
		/* And it stays stale, through every re-open. */
		for (int i = 0; i < 300; i++) {
			bench->now_ns += 50 * MS;
			scaph_writer_beat(&bench->writer);
			bench_expect(bench, SCAPH_CURSOR_STALE);
			assert_int_not_equal(bench_latest(bench), SCAPH_CURSOR_RECORD);
		}
		bench_publish(bench, 2);
		bench_expect_record(bench, bench->writer.next_index - 2);
		bench_expect_record(bench, bench->writer.next_index - 1);
		from_ns = bench->now_ns;
		assert_int_equal(scaph_cursor_progress_ns(bench->cursor), from_ns);
	}
}

/* A clock far on after a pause is a doubt, and only silence seen twice is one that counts. */
static void test_pause_is_not_stale(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	for (int i = 0; i < 10; i++) {
		bench->now_ns += 5000 * MS;
		bench_expect(bench, SCAPH_CURSOR_EMPTY);
		assert_int_equal(bench_latest(bench), SCAPH_CURSOR_EMPTY);
		bench_publish(bench, 1);
		bench_expect_record(bench, bench->writer.next_index - 1);
		assert_int_equal(bench_latest(bench), SCAPH_CURSOR_RECORD);
	}
	bench->now_ns += 5000 * MS;
	bench_expect(bench, SCAPH_CURSOR_EMPTY);
	bench->now_ns += LIMIT_NS / 4;
	bench_expect(bench, SCAPH_CURSOR_STALE);
	/* One that looks once a second only is told all the same. */
	bench_publish(bench, 1);
	bench_expect_record(bench, bench->writer.next_index - 1);
	bench->now_ns += 1000 * MS;
	bench_expect(bench, SCAPH_CURSOR_EMPTY);
	bench->now_ns += 1000 * MS;
	bench_expect(bench, SCAPH_CURSOR_STALE);
	/* A caller whose clock steps back is answered, too. */
	bench->now_ns -= 9000 * MS;
	bench_expect(bench, SCAPH_CURSOR_EMPTY);
	bench_publish(bench, 1);
	bench_expect_record(bench, bench->writer.next_index - 1);
}

/* Three windows, where that is longer. */
static void test_limit_of_long_windows(void **state)
{
	struct bench *bench = *state;

	bench->desc.window_ns = 1000 * MS;
	bench_create(bench);
	bench_adopt(bench, EPOCH_A);
	bench_publish(bench, 1);
	bench_open(bench, bench->mode);
	scaph_writer_beat(&bench->writer);
	bench_expect(bench, SCAPH_CURSOR_RECORD);
	for (int i = 0; i < 299; i++) {
		bench->now_ns += 10 * MS;
		bench_expect(bench, SCAPH_CURSOR_EMPTY);
	}
	bench->now_ns += 10 * MS;
	bench_expect(bench, SCAPH_CURSOR_STALE);
}

static void test_withheld_by_profile(void **state)
{
	struct bench *bench = *state;

	bench->desc.profile = SCAPH_PROFILE_OFF;
	bench_adopt(bench, EPOCH_B);
	bench_publish(bench, 3); /* not to be shown even if they are there */
	bench_open(bench, bench->mode);
	bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
	scaph_writer_beat(&bench->writer);
	for (int i = 0; i < 200; i++) {
		bench_expect(bench, SCAPH_CURSOR_EMPTY);
		assert_int_equal(bench_latest(bench), SCAPH_CURSOR_EMPTY);
		bench->now_ns += 50 * MS;
		if (i % 2)
			scaph_writer_beat(&bench->writer);
	}
	assert_int_equal(bench_wait(bench, 3 * LIMIT_NS), SCAPH_CURSOR_STALE);
	bench->now_ns += 10 * MS;
	bench_expect(bench, SCAPH_CURSOR_STALE);
	scaph_writer_beat(&bench->writer);
	bench_expect(bench, SCAPH_CURSOR_EMPTY);
	/* The grant comes as a new epoch. */
	bench->desc.profile = SCAPH_PROFILE_TRUSTED;
	bench_adopt(bench, EPOCH_C);
	bench_publish(bench, 1);
	bench->now_ns += LIMIT_NS;
	assert_int_equal(bench_wait(bench, 2 * LIMIT_NS), SCAPH_CURSOR_EPOCH);
	scaph_writer_beat(&bench->writer);
	bench_expect_record(bench, 0);
}

static void test_replaced_file(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	bench_create(bench);
	bench_adopt(bench, EPOCH_B);
	for (int i = 0; i < 250; i++) {
		bench_publish(bench, 1);
		bench->now_ns += 10 * MS;
		if (bench_next(bench) == SCAPH_CURSOR_EPOCH)
			break;
		assert_true(i < 240);
	}
	bench_publish(bench, 1);
	bench_expect_record(bench, 0);
}

/* Replaced by the same epoch, as by a copy of the whole folder: the cursor goes on. */
static void test_replaced_file_same_epoch(void **state)
{
	struct bench *bench = *state;
	uint8_t *page = malloc(bench->bytes);
	struct scaph_writer writer;

	bench_live(bench, 3);
	bench_expect_record(bench, 2);
	memcpy(page, bench->map, bench->bytes);
	writer = bench->writer;
	bench_create(bench);
	memcpy(bench->map, page, bench->bytes);
	bench->writer = writer;
	bench->writer.map = bench->map;
	bench_publish(bench, 4);
	assert_int_equal(bench_wait(bench, 2 * LIMIT_NS), SCAPH_CURSOR_STALE);
	while (bench_next(bench) == SCAPH_CURSOR_STALE)
		bench->now_ns += 10 * MS;
	assert_int_equal(scaph_seq_index(bench->slot.seq), 3);
	assert_int_equal(bench_drain(bench, 4), 3);
	assert_int_equal(scaph_cursor_counts(bench->cursor).epochs, 0);
	free(page);
}

static void test_file_gone_and_back(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	unlink(bench->path);
	/* The open file lives on, and so does a writer that has it. */
	bench_publish(bench, 1);
	bench->now_ns += WINDOW_NS;
	bench_expect_record(bench, 1);
	assert_int_equal(bench_wait(bench, 2 * LIMIT_NS), SCAPH_CURSOR_STALE);
	for (int i = 0; i < 400; i++) {
		bench->now_ns += 50 * MS;
		bench_expect(bench, SCAPH_CURSOR_STALE);
	}
	bench_create(bench);
	bench_adopt(bench, EPOCH_B);
	for (int i = 0; bench_next(bench) != SCAPH_CURSOR_EPOCH; i++) {
		assert_true(i < 100); /* tries are 4 s apart at most */
		bench->now_ns += 50 * MS;
	}
	bench_publish(bench, 1);
	bench_expect_record(bench, 0);
}

/* Cut under the reader: no crash (the guard), no record, and back when the file is. */
static void test_truncated(void **state)
{
	static const off_t sizes[] = { 0, 1, 4096, 8191, 8192, 12288 };
	struct bench *bench = *state;

	assert_int_equal(scaph_guard_install(), 0);
	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int event = SCAPH_CURSOR_EMPTY;

		assert_int_equal(ftruncate(bench->fd, sizes[i]), 0);
		for (int step = 0; step < 150; step++) {
			event = bench_next(bench);
			assert_true(event == SCAPH_CURSOR_EMPTY || event == SCAPH_CURSOR_STALE ||
				    event == SCAPH_CURSOR_REFUSED);
			/* 12288 leaves the newest record in place: one until it is old. */
			if (bench_latest(bench) == SCAPH_CURSOR_RECORD)
				assert_true(sizes[i] == 12288 && step < 6);
			bench->now_ns += 50 * MS;
		}
		assert_true(event != SCAPH_CURSOR_EMPTY);
		assert_int_equal(ftruncate(bench->fd, (off_t)bench->bytes), 0);
		bench_adopt(bench, EPOCH_B + i);
		for (int step = 0; bench_next(bench) != SCAPH_CURSOR_EPOCH; step++) {
			assert_true(step < 100);
			bench->now_ns += 50 * MS;
		}
		bench_publish(bench, 1);
		bench_expect_record(bench, 0);
	}
}

/* A file that grew was mapped too short: found at the next look. */
static void test_grown(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(ftruncate(bench->fd, 8192), 0);
	bench_open(bench, bench->mode);
	bench_expect(bench, SCAPH_CURSOR_REFUSED);
	assert_non_null(strstr(scaph_cursor_refusal(bench->cursor), "outside the file"));
	assert_int_equal(ftruncate(bench->fd, (off_t)bench->bytes), 0);
	bench_adopt(bench, EPOCH_B);
	for (int step = 0; bench_next(bench) != SCAPH_CURSOR_UNPROVEN; step++) {
		assert_true(step < 30);
		bench->now_ns += 50 * MS;
	}
	bench_publish(bench, 1);
	bench_expect_record(bench, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH_MODES(test_stale_and_live_again),
		IN_BOTH_MODES(test_pause_is_not_stale),
		IN_BOTH_MODES(test_limit_of_long_windows),
		IN_BOTH_MODES(test_withheld_by_profile),
		IN_BOTH_MODES(test_replaced_file),
		IN_BOTH_MODES(test_replaced_file_same_epoch),
		IN_BOTH_MODES(test_file_gone_and_back),
		IN_BOTH_MODES(test_truncated),
		IN_BOTH_MODES(test_grown),
	};

	return cmocka_run_group_tests_name("cursor life", tests, NULL, NULL);
}
