/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor_race_test.c - what a writer does between two accesses of one call
 *
 * The cursor's access is wrapped: before a chosen access the writer goes on. That makes single
 * interleavings, which a stress run meets by luck, into states that are there every time.
 */
#include "cursor_bench.h"

#include "proto/seq.h"
#include "shm/access.h"
#include "shm/cursor_state.h"

static struct bench *raced;
static int slots_calls, heads_calls, looks;
static const struct scaph_access_ops *inner;
static void (*before_look)(void), (*before_heads)(void), (*before_slots)(void);

static void run_once(void (**hook)(void))
{
	void (*now)(void) = *hook;

	*hook = NULL;
	if (now)
		now();
}

static int raced_look(struct scaph_access *access, const uint8_t **ret_prefix)
{
	looks++;
	run_once(&before_look);
	return inner->look(access, ret_prefix);
}

static int raced_heads(struct scaph_access *access, struct scaph_heads *ret_heads)
{
	heads_calls++;
	run_once(&before_heads);
	return inner->heads(access, ret_heads);
}

static int raced_slots(struct scaph_access *access, const struct scaph_ring_place *ring,
		       uint32_t first, uint32_t want, struct scaph_run *ret_run)
{
	slots_calls++;
	run_once(&before_slots);
	return inner->slots(access, ring, first, want, ret_run);
}

static struct scaph_access_ops raced_ops = {
	.look = raced_look,
	.heads = raced_heads,
	.slots = raced_slots,
};

static void wrap(struct bench *bench)
{
	raced = bench;
	inner = bench->cursor->att.access.ops;
	before_look = before_heads = before_slots = NULL;
	slots_calls = heads_calls = looks = 0;
	raced_ops.mode = bench->mode;
	bench->cursor->att.access.ops = &raced_ops;
}

static void publish_one(void)
{
	bench_publish(raced, 1);
}

static void publish_laps(void)
{
	bench_publish(raced, 2 * raced->slots);
}

/* A slot that is not there yet, though the head is past it, and is there at the next access. */
static uint8_t hidden[SCAPH_SLOT_BYTES];
static uint64_t hidden_index;

static void unhide(void)
{
	memcpy(bench_slot(raced, hidden_index), hidden, sizeof(hidden));
}

static void hide(struct bench *bench, uint64_t index)
{
	hidden_index = index;
	memcpy(hidden, bench_slot(bench, index), sizeof(hidden));
	memset(bench_slot(bench, index), 0, sizeof(hidden));
}

static void unhide_at_next_slots(void)
{
	/* After the head was verified, before the slot itself is read again. */
	before_slots = unhide;
}

/* Not there at the first copy, there behind the head: delivered, not lost. */
static void test_written_between_copy_and_head(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	wrap(bench);
	for (int how = 0; how < 2; how++) {
		bench_publish(bench, 3);
		hide(bench, 1 + 3 * (uint64_t)how);
		bench->now_ns += LIMIT_NS;
		if (how)
			before_look = unhide_at_next_slots;
		else
			before_look = unhide;
		bench_expect_record(bench, 1 + 3 * (uint64_t)how);
		assert_int_equal(bench_drain(bench, 2 + 3 * (uint64_t)how), 2);
	}
	assert_int_equal(scaph_cursor_counts(bench->cursor).lost, 0);
}

static void test_published_just_before_the_look(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	wrap(bench);
	for (uint64_t i = 1; i < 20; i++) {
		bench->now_ns += LIMIT_NS;
		before_look = publish_one;
		bench_expect_record(bench, i);
	}
	assert_int_equal(scaph_cursor_counts(bench->cursor).lost, 0);
}

/* The ring comes round between a copy and the next: the account holds. */
static void test_lapped_behind_the_head(void **state)
{
	struct bench *bench = *state;
	uint64_t index;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	bench_publish(bench, 10);
	hide(bench, 1);
	wrap(bench);
	bench->now_ns += LIMIT_NS;
	bench_expect(bench, SCAPH_CURSOR_LOST);
	assert_int_equal(bench->lost, 1);
	bench->now_ns += LIMIT_NS;
	before_slots = publish_laps;
	/* Whatever it says first, the account holds at the end. */
	while (bench_next(bench) != SCAPH_CURSOR_LOST)
		bench->now_ns += WINDOW_NS;
	index = 2;
	while (bench_wait(bench, 2 * LIMIT_NS) == SCAPH_CURSOR_RECORD)
		index = scaph_seq_index(bench->slot.seq);
	assert_int_equal(index, bench->writer.next_index - 1);
	assert_int_equal(scaph_cursor_counts(bench->cursor).lost +
				 scaph_cursor_counts(bench->cursor).delivered,
			 bench->writer.next_index);
}

static void lap_at_slots(void)
{
	before_slots = publish_laps;
}

static void test_head_verified_by_a_later_lap(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	bench_publish(bench, 3 * bench->slots);
	wrap(bench);
	bench->now_ns += WINDOW_NS;
	/* First copy: lapped. Look: the head. Then two more laps before its slot is read. */
	before_look = lap_at_slots;
	bench_expect(bench, SCAPH_CURSOR_LOST);
	assert_true(bench->cursor->next_index + bench->slots > bench->writer.next_index);
}

/* latest(): overwritten after the head was read; the next try finds the newer one. */
static void test_latest_lapped(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 5);
	bench_expect_record(bench, 4);
	wrap(bench);
	before_slots = publish_laps;
	assert_int_equal(bench_latest(bench), SCAPH_CURSOR_RECORD);
	assert_int_equal(scaph_seq_index(bench->slot.seq), bench->writer.next_index - 1);
	assert_int_equal(scaph_cursor_counts(bench->cursor).retries, 1);
}

static void adopt_b(void)
{
	bench_adopt(raced, EPOCH_B);
	bench_publish(raced, 3);
}

/* A new epoch begins between any two accesses: no record of either is handed out as the other's. */
static void test_adopted_in_between(void **state)
{
	struct bench *bench = *state;
	void (**hooks[])(void) = { &before_look, &before_heads, &before_slots };

	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		uint64_t told = 0;

		bench_adopt(bench, EPOCH_A);
		bench_live(bench, 5);
		bench_expect_record(bench, 4);
		bench_publish(bench, 2);
		hide(bench, 5);
		wrap(bench);
		*hooks[i] = adopt_b;
		bench->now_ns += LIMIT_NS;
		for (int step = 0; step < 50; step++) {
			int event = step % 2 ? bench_latest(bench) : bench_next(bench);

			/* bench_next() has compared the record with its index. */
			if (event == SCAPH_CURSOR_RECORD)
				assert_int_equal(scaph_seq_tag(bench->slot.seq),
						 bench->cursor->att.tag);
			told += event == SCAPH_CURSOR_EPOCH;
			bench->now_ns += 10 * MS;
			scaph_writer_beat(&bench->writer);
		}
		assert_int_equal(told, 1);
		assert_true(scaph_cursor_descriptor(bench->cursor)->epoch_id == EPOCH_B);
	}
}

/*
 * What a poll may cost: one pread while records come, two across the ring's end, whatever their
 * number; and no look at head or descriptor before the silence is long.
 */
static void test_cost_of_a_poll(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	wrap(bench);
	for (uint64_t index = 1; index < 3 * bench->slots; index += 50) {
		bool wraps = (index - 1) / bench->slots != (index + 49) / bench->slots;

		bench_publish(bench, 50);
		bench->now_ns += 49 * WINDOW_NS; /* and one more by the drain */
		slots_calls = 0;
		assert_int_equal(bench_drain(bench, index), 50);
		if (bench->mode == SCAPH_MODE_SNAPSHOT)
			assert_in_range(slots_calls, 1, wraps ? 3 : 2);
		else
			assert_in_range(slots_calls, 1, 50);
	}
	assert_int_equal(looks + heads_calls, 0);
	slots_calls = 0;
	for (int i = 0; i < 10; i++)
		bench_expect(bench, SCAPH_CURSOR_EMPTY);
	assert_int_equal(slots_calls, 10);
	assert_int_equal(looks + heads_calls, 0);
}

/* A short copy that ends in a gap is the whole poll. */
static void test_gap_ends_a_poll(void **state)
{
	struct bench *bench = *state;

	bench_live(bench, 1);
	bench_expect_record(bench, 0);
	bench_publish(bench, 5);
	bench->now_ns += WINDOW_NS;
	wrap(bench);
	for (uint64_t i = 1; i <= 5; i++)
		bench_expect_record(bench, i);
	bench_publish(bench, 1);
	if (bench->mode == SCAPH_MODE_SNAPSHOT) {
		bench_expect(bench, SCAPH_CURSOR_EMPTY);
		assert_int_equal(slots_calls, 1);
	}
	bench_expect_record(bench, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH_MODES(test_written_between_copy_and_head),
		IN_BOTH_MODES(test_published_just_before_the_look),
		IN_BOTH_MODES(test_lapped_behind_the_head),
		IN_BOTH_MODES(test_head_verified_by_a_later_lap),
		IN_BOTH_MODES(test_latest_lapped),
		IN_BOTH_MODES(test_adopted_in_between),
		IN_BOTH_MODES(test_cost_of_a_poll),
		IN_BOTH_MODES(test_gap_ends_a_poll),
	};

	return cmocka_run_group_tests_name("cursor races", tests, NULL, NULL);
}
