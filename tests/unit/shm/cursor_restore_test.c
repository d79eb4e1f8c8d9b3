/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor_restore_test.c - a head that lies, and old bytes put back over a living segment
 */
#include "cursor_bench.h"

#include "proto/seq.h"

/* A head is a hint: claims that no slot bears out move nothing and lose nothing. */
static void test_lying_head(void **state)
{
	struct bench *bench = *state;
	uint32_t tag;
	uint64_t lies[8];

	bench_live(bench, 3);
	assert_int_equal(bench_drain(bench, 2), 1);
	tag = bench->writer.tag;
	lies[0] = scaph_seq_complete(tag, SCAPH_INDEX_MAX);
	lies[1] = scaph_seq_complete(tag, 1000000);
	lies[2] = scaph_seq_complete(tag, 3);
	lies[3] = scaph_seq_complete(tag, 3) - 1;
	lies[4] = scaph_seq_complete(tag ^ 1, 5);
	lies[5] = UINT64_MAX;
	lies[6] = 0;
	lies[7] = scaph_seq_before_first(tag);
	for (int i = 0; i < 8; i++) {
		for (int step = 0; step < 40; step++) {
			int event;

			*bench_head(bench) = lies[i];
			event = bench_next(bench);
			assert_true(event == SCAPH_CURSOR_EMPTY || event == SCAPH_CURSOR_STALE);
			bench->now_ns += 20 * MS;
		}
		bench_publish(bench, 1);
		bench_expect_record(bench, bench->writer.next_index - 1);
	}
	assert_int_equal(scaph_cursor_counts(bench->cursor).lost, 0);
	/* Nor does one at the moment of attach place a reader where it never comes back from. */
	*bench_head(bench) = lies[0];
	bench_open(bench, bench->mode);
	bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
	bench_publish(bench, 1);
	scaph_writer_beat(&bench->writer);
	bench_expect_record(bench, bench->writer.next_index - 1);
}

/* Old bytes of the whole ring and of the head put back: nothing twice, nothing wrong. */
static void test_old_bytes_put_back(void **state)
{
	struct bench *bench = *state;
	uint8_t *old = malloc(bench->bytes);
	uint64_t seen = 0, lost = 0, next = 0, behind_ns = 0;

	bench_live(bench, 1);
	for (int round = 0; round < 300; round++) {
		uint64_t part = (uint64_t)rand() % bench->bytes & ~7ULL;
		int event;

		if (round % 7 == 0)
			memcpy(old, bench->map, bench->bytes);
		bench_publish(bench, (uint64_t)rand() % 60);
		if (round % 3 == 0)
			memcpy(bench->map + part, old + part, bench->bytes - part);
		if (round % 50 == 0)
			scaph_writer_refresh(&bench->writer);
		while ((event = bench_next(bench)) == SCAPH_CURSOR_RECORD ||
		       event == SCAPH_CURSOR_LOST) {
			if (event == SCAPH_CURSOR_LOST) {
				lost += bench->lost;
				continue;
			}
			assert_true(scaph_seq_index(bench->slot.seq) >= next);
			next = scaph_seq_index(bench->slot.seq) + 1;
			seen++;
		}
		assert_true(event == SCAPH_CURSOR_EMPTY || event == SCAPH_CURSOR_STALE);
		behind_ns = seen + lost == bench->writer.next_index ? 0 : behind_ns + 20 * MS;
		assert_true(behind_ns <= 1000 * MS);
		bench->now_ns += 20 * MS;
	}
	bench_publish(bench, 1);
	scaph_writer_refresh(&bench->writer);
	while (seen + lost < bench->writer.next_index) {
		int event = bench_wait(bench, LIMIT_NS + 20 * MS);

		if (event == SCAPH_CURSOR_LOST)
			lost += bench->lost;
		else
			seen++;
	}
	assert_int_equal(scaph_seq_index(bench->slot.seq), bench->writer.next_index - 1);
	assert_true(lost > 0 && seen > 0);
	free(old);
}

static void test_old_head_is_waited_for(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 10);
	assert_int_equal(bench_drain(bench, 9), 1);
	*bench_head(bench) = scaph_seq_complete(bench->writer.tag, 4);
	bench->now_ns += LIMIT_NS / 2;
	bench_expect(bench, SCAPH_CURSOR_EMPTY);
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_EMPTY);
	scaph_writer_refresh(&bench->writer);
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_RECORD);
	bench_publish(bench, 2);
	assert_int_equal(bench_drain(bench, 10), 2);
	assert_int_equal(scaph_cursor_counts(bench->cursor).lost, 0);
	/* Nor is a record shown again that next() has gone past. */
	*bench_head(bench) = scaph_seq_complete(bench->writer.tag, 9);
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_EMPTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH_MODES(test_lying_head),
		IN_BOTH_MODES(test_old_bytes_put_back),
		IN_BOTH_MODES(test_old_head_is_waited_for),
	};

	return cmocka_run_group_tests_name("cursor restore", tests, NULL, NULL);
}
