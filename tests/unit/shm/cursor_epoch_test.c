/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor_epoch_test.c - from one epoch to the next, and back when old bytes are put back
 */
#include "cursor_bench.h"

#include "proto/seq.h"

/* Look every 10 ms through UNPROVEN and EMPTY; any other event. `alive`: the beat goes on. */
static int wait_through(struct bench *bench, uint64_t within_ns, bool alive)
{
	uint64_t until_ns = bench->now_ns + within_ns;
	int event;

	while ((event = bench_next(bench)) == SCAPH_CURSOR_EMPTY ||
	       event == SCAPH_CURSOR_UNPROVEN) {
		assert_true(bench->now_ns <= until_ns);
		bench->now_ns += 10 * MS;
		if (alive)
			scaph_writer_beat(&bench->writer);
	}
	return event;
}

static void test_new_epoch(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 5);
	bench_expect_record(bench, 4);
	bench_publish(bench, 3); /* their fate is unknown to this reader */
	bench_adopt(bench, EPOCH_B);
	assert_int_equal(wait_through(bench, LIMIT_NS + 10 * MS, true), SCAPH_CURSOR_EPOCH);
	assert_true(scaph_cursor_descriptor(bench->cursor)->epoch_id == EPOCH_B);
	assert_false(scaph_cursor_proven(bench->cursor));
	bench_publish(bench, 4);
	assert_int_equal(bench_drain(bench, 0), 4);
	assert_int_equal(scaph_cursor_counts(bench->cursor).epochs, 1);
	assert_int_equal(scaph_cursor_counts(bench->cursor).lost, 0);
}

/* A record of the new epoch in the cursor's place tells without a silence. */
static void test_foreign_tag_tells_at_once(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	bench_adopt(bench, EPOCH_B);
	bench_publish(bench, 2);
	bench->now_ns += WINDOW_NS;
	bench_expect(bench, SCAPH_CURSOR_EPOCH);
	bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
	bench_publish(bench, 1);
	assert_int_equal(bench_drain(bench, 0), 3);
}

static void test_new_epoch_found_by_latest(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 5);
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_RECORD);
	bench_adopt(bench, EPOCH_B);
	bench_publish(bench, 3);
	bench->now_ns += WINDOW_NS;
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_UNPROVEN);
	bench_publish(bench, 1);
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_RECORD);
	assert_int_equal(scaph_seq_index(bench->slot.seq), 3);
	/* next() has not been told yet. */
	bench_expect(bench, SCAPH_CURSOR_EPOCH);
	assert_int_equal(bench_drain(bench, 0), 4);
	assert_int_equal(scaph_cursor_counts(bench->cursor).epochs, 1);
}

/* A writer that dies at any point of an adoption leaves nothing that is taken for a record. */
static void test_half_adopted(void **state)
{
	struct bench *bench = *state;
	uint64_t *gen = (uint64_t *)bench->map + 1;

	bench_live(bench, 5);
	bench_expect_record(bench, 4);
	*gen |= 1;
	memset(bench_slot(bench, 0), 0, bench->slots * SCAPH_SLOT_BYTES / 2);
	for (int i = 0; i < 100; i++) {
		int event = bench_next(bench);

		assert_true(event == SCAPH_CURSOR_EMPTY || event == SCAPH_CURSOR_STALE);
		bench->now_ns += 50 * MS;
	}
	bench_expect(bench, SCAPH_CURSOR_STALE);
	bench_adopt(bench, EPOCH_B);
	bench_expect(bench, SCAPH_CURSOR_EPOCH);
	bench_publish(bench, 1);
	bench_expect_record(bench, 0);
}

/* A, B, A again from a restored page, B: nothing twice, and a dead epoch does not come to life. */
static void test_epoch_put_back(void **state)
{
	struct bench *bench = *state;
	uint8_t *page = malloc(bench->bytes), *live = malloc(bench->bytes);
	uint64_t delivered;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	bench_publish(bench, 20);
	assert_int_equal(bench_drain(bench, 1), 20);
	bench_publish(bench, 5);
	memcpy(page, bench->map, bench->bytes); /* with a tail of 5 that was never read */
	bench_adopt(bench, EPOCH_B);
	bench_publish(bench, 7);
	bench->now_ns += LIMIT_NS;
	bench_expect(bench, SCAPH_CURSOR_EPOCH);
	bench_publish(bench, 1);
	assert_int_equal(bench_drain(bench, 0), 8);
	delivered = scaph_cursor_counts(bench->cursor).delivered;

	memcpy(live, bench->map, bench->bytes);
	memcpy(bench->map, page, bench->bytes);
	bench->now_ns += LIMIT_NS;
	bench_expect(bench, SCAPH_CURSOR_EPOCH); /* A, to all appearances */
	for (int i = 0; i < 50; i++) {
		/* The living writer of B beats on the page: no sign of life of A's. */
		bench_head(bench)[2] += 1000;
		bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
		assert_int_equal(bench_latest(bench), SCAPH_CURSOR_UNPROVEN);
		bench->now_ns += 10 * MS;
	}
	assert_int_equal(scaph_cursor_counts(bench->cursor).delivered, delivered);
	memcpy(bench->map, live, bench->bytes);
	bench_expect(bench, SCAPH_CURSOR_EPOCH);
	bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
	bench_publish(bench, 3);
	assert_int_equal(bench_drain(bench, 8), 3);
	assert_int_equal(scaph_cursor_counts(bench->cursor).epochs, 3);
	free(page);
	free(live);
}

/* The living epoch goes on where it was left, whatever was put in between. */
static void test_places_of_eight_epochs(void **state)
{
	struct bench *bench = *state;
	struct scaph_writer writer = {};
	uint8_t *page = malloc(bench->bytes);

	bench_live(bench, 10);
	bench_expect_record(bench, 9);
	memcpy(page, bench->map, bench->bytes);
	writer = bench->writer;
	for (uint64_t i = 1; i <= 8; i++) {
		bench_adopt(bench, EPOCH_B + i);
		bench_publish(bench, 1);
		bench->now_ns += LIMIT_NS;
		assert_int_equal(wait_through(bench, LIMIT_NS, true), SCAPH_CURSOR_EPOCH);
	}
	memcpy(bench->map, page, bench->bytes);
	bench->writer = writer;
	bench->now_ns += LIMIT_NS;
	bench_expect(bench, SCAPH_CURSOR_EPOCH);
	bench_publish(bench, 2);
	assert_int_equal(bench_drain(bench, 10), 2);
	free(page);
}

/* Descriptor of one epoch, head of another: a moment that passes. */
static void test_two_epochs_at_once(void **state)
{
	struct bench *bench = *state;
	uint64_t head;

	bench_live(bench, 5);
	bench_expect_record(bench, 4);
	head = *bench_head(bench);
	for (int i = 0; i < 30; i++) {
		*bench_head(bench) = scaph_seq_complete(0x777, 12);
		bench_next(bench);
		bench->now_ns += 50 * MS;
	}
	bench_expect(bench, SCAPH_CURSOR_STALE);
	assert_true(scaph_cursor_descriptor(bench->cursor)->epoch_id == EPOCH_A);
	*bench_head(bench) = head;
	bench_publish(bench, 1);
	bench_expect_record(bench, 5);
}

/* A head of another epoch, however it moves, proves nothing about the descriptor's. */
static void test_foreign_head_proves_nothing(void **state)
{
	struct bench *bench = *state;

	bench_publish(bench, 5);
	bench_open(bench, bench->mode);
	for (uint64_t i = 0; i < 30; i++) {
		*bench_head(bench) = scaph_seq_complete(0xfffffe, 12 + i);
		bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
		bench->now_ns += 10 * MS;
	}
}

/* Without records there is only the beat to prove an epoch that comes back. */
static void test_withheld_epoch_put_back(void **state)
{
	struct bench *bench = *state;
	struct scaph_writer writer;
	uint8_t *page = malloc(bench->bytes);

	bench->desc.profile = SCAPH_PROFILE_OFF;
	bench_adopt(bench, EPOCH_C);
	bench_open(bench, bench->mode);
	scaph_writer_beat(&bench->writer);
	bench_expect(bench, SCAPH_CURSOR_EMPTY);
	memcpy(page, bench->map, bench->bytes);
	writer = bench->writer;
	bench_adopt(bench, EPOCH_B);
	bench->now_ns += LIMIT_NS;
	bench_expect(bench, SCAPH_CURSOR_EPOCH);
	memcpy(bench->map, page, bench->bytes);
	bench->writer = writer;
	bench->now_ns += LIMIT_NS;
	bench_expect(bench, SCAPH_CURSOR_EPOCH);
	bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
	scaph_writer_beat(&bench->writer);
	bench_expect(bench, SCAPH_CURSOR_EMPTY);
	free(page);
}

/* Two epochs may share a tag: it is the checksum's prefix that tells their records apart. */
static void test_same_tag(void **state)
{
	struct bench *bench = *state;
	uint64_t twin = EPOCH_A ^ 0xff00000000000000ULL;
	uint8_t old[SCAPH_SLOT_BYTES];

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	bench_publish(bench, 1);
	memcpy(old, bench_slot(bench, 1), sizeof(old));
	bench_adopt(bench, twin);
	bench_publish(bench, 1);
	bench->now_ns += LIMIT_NS;
	assert_int_equal(wait_through(bench, LIMIT_NS, true), SCAPH_CURSOR_EPOCH);
	bench_publish(bench, 1);
	memcpy(bench_slot(bench, 1), old, sizeof(old));
	assert_int_equal(bench_drain(bench, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH_MODES(test_new_epoch),
		IN_BOTH_MODES(test_foreign_tag_tells_at_once),
		IN_BOTH_MODES(test_new_epoch_found_by_latest),
		IN_BOTH_MODES(test_half_adopted),
		IN_BOTH_MODES(test_epoch_put_back),
		IN_BOTH_MODES(test_places_of_eight_epochs),
		IN_BOTH_MODES(test_two_epochs_at_once),
		IN_BOTH_MODES(test_foreign_head_proves_nothing),
		IN_BOTH_MODES(test_withheld_epoch_put_back),
		IN_BOTH_MODES(test_same_tag),
	};

	return cmocka_run_group_tests_name("cursor epochs", tests, NULL, NULL);
}
