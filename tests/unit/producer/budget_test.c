/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget_test.c - a daemon whose load is known at every step of its sampling, over hours that take no time
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "producer/publish/budget.h"

#define NS_PER_S UINT64_C(1000000000)
#define BEGIN_NS (1000 * NS_PER_S)
#define PERCENT SCAPH_BUDGET_PPM_PER_PERCENT
#define SPAN_S 2U
#define RISE_S (3 * SPAN_S)

/* What runs: load in millionths of a core, of which sampling divides a part by four a step. */
static struct {
	struct scaph_budget budget;
	uint64_t now_ns, cpu_ns;
	uint32_t base_ppm, sampling_ppm;
	bool can_lower;
	unsigned int changes;
} daemon;

static void begin(uint32_t given_ppm, uint32_t base_ppm, uint32_t sampling_ppm)
{
	daemon.now_ns = BEGIN_NS;
	daemon.cpu_ns = 7 * NS_PER_S;
	daemon.base_ppm = base_ppm;
	daemon.sampling_ppm = sampling_ppm;
	daemon.can_lower = true;
	daemon.changes = 0;
	scaph_budget_begin(&daemon.budget, given_ppm, daemon.now_ns, daemon.cpu_ns);
}

static void run(unsigned int seconds)
{
	for (unsigned int i = 0; i < seconds; i++) {
		uint32_t step = daemon.budget.step;
		uint32_t sampling_ppm =
			step == SCAPH_BUDGET_STEPS ? 0 : daemon.sampling_ppm >> 2 * step;
		struct scaph_budget before = daemon.budget;
		bool changed;

		daemon.now_ns += NS_PER_S;
		daemon.cpu_ns += (uint64_t)(daemon.base_ppm + sampling_ppm) * 1000;
		changed = scaph_budget_note(&daemon.budget, daemon.now_ns, daemon.cpu_ns,
					    daemon.can_lower);
		/* Said when it is so, and a step at a time. */
		assert_int_equal(changed, before.step != daemon.budget.step ||
						  before.over != daemon.budget.over);
		assert_true(daemon.budget.step <= SCAPH_BUDGET_STEPS);
		assert_true(daemon.budget.step <= before.step + 1);
		assert_true(before.step <= daemon.budget.step + 1);
		daemon.changes += changed;
	}
}

static void test_none_given(void **state)
{
	begin(0, 3 * PERCENT, 500 * PERCENT);
	assert_false(daemon.budget.measured);
	run(SPAN_S);
	assert_true(daemon.budget.measured);
	assert_int_equal(daemon.budget.used_ppm, 503 * PERCENT);
	run(100);
	assert_int_equal(daemon.changes, 0);
	(void)state;
}

/* 10 % in all, 7 of which sampling: with a budget of 5 % one step down is right, and it stays there. */
static void test_lowered(void **state)
{
	begin(5 * PERCENT, 3 * PERCENT, 7 * PERCENT);
	run(SPAN_S - 1);
	assert_int_equal(daemon.budget.step, 0);
	run(1);
	assert_int_equal(daemon.budget.step, 1);
	assert_int_equal(daemon.budget.used_ppm, 10 * PERCENT);
	run(1000);
	/* 4.75 % leaves no room for more. */
	assert_int_equal(daemon.budget.step, 1);
	assert_false(daemon.budget.over);
	assert_int_equal(daemon.changes, 1);
	(void)state;
}

/* All the way down within seconds, said once that it is not enough, and back up one by one. */
static void test_over_and_back(void **state)
{
	begin(5 * PERCENT, 8 * PERCENT, 2 * PERCENT);
	run(SCAPH_BUDGET_STEPS * SPAN_S);
	assert_int_equal(daemon.budget.step, SCAPH_BUDGET_STEPS);
	assert_false(daemon.budget.over);
	run(SPAN_S);
	assert_true(daemon.budget.over);
	run(1000);
	assert_int_equal(daemon.changes, SCAPH_BUDGET_STEPS + 1);
	daemon.base_ppm = PERCENT;
	run(RISE_S - 1);
	assert_int_equal(daemon.budget.step, SCAPH_BUDGET_STEPS);
	run(1);
	assert_int_equal(daemon.budget.step, SCAPH_BUDGET_STEPS - 1);
	assert_false(daemon.budget.over);
	run((SCAPH_BUDGET_STEPS - 1) * RISE_S);
	assert_int_equal(daemon.budget.step, 0);
	run(1000);
	assert_int_equal(daemon.changes, 2 * SCAPH_BUDGET_STEPS + 1);
	(void)state;
}

/* Just above three quarters there is no room; just below there is. */
static void test_room(void **state)
{
	begin(8 * PERCENT, 9 * PERCENT, 0);
	run(SPAN_S);
	assert_int_equal(daemon.budget.step, 1);
	daemon.base_ppm = 6 * PERCENT + 1;
	run(1000);
	assert_int_equal(daemon.budget.step, 1);
	daemon.base_ppm = 6 * PERCENT;
	run(RISE_S);
	assert_int_equal(daemon.budget.step, 0);
	(void)state;
}

/* One span without room begins the waiting anew. */
static void test_hysteresis(void **state)
{
	begin(8 * PERCENT, 9 * PERCENT, 0);
	run(SPAN_S);
	for (int i = 0; i < 100; i++) {
		daemon.base_ppm = 2 * PERCENT;
		run(RISE_S - SPAN_S);
		daemon.base_ppm = 7 * PERCENT;
		run(SPAN_S);
	}
	assert_int_equal(daemon.budget.step, 1);
	assert_int_equal(daemon.changes, 1);
	(void)state;
}

/* Full sampling is too much and a quarter of it leaves room: it is tried ever more seldom. */
static void test_between_two_steps(void **state)
{
	unsigned int first;

	begin(5 * PERCENT, PERCENT, 6 * PERCENT);
	run(600);
	first = daemon.changes;
	assert_true(first > 2);
	run(3 * 3600);
	assert_true(daemon.changes - first < 3 * 3600 / 300 * 2);
	/* What lasts is right: then it is as patient as it was. */
	daemon.sampling_ppm = 0;
	run(1000);
	assert_int_equal(daemon.budget.step, 0);
	daemon.base_ppm = 6 * PERCENT;
	run(SPAN_S);
	assert_int_equal(daemon.budget.step, 1);
	daemon.base_ppm = PERCENT;
	run(RISE_S);
	assert_int_equal(daemon.budget.step, 0);
	(void)state;
}

/* Nothing is called lowered that is not. */
static void test_nothing_to_lower(void **state)
{
	begin(5 * PERCENT, 8 * PERCENT, 0);
	daemon.can_lower = false;
	run(SPAN_S);
	assert_int_equal(daemon.budget.step, 0);
	assert_true(daemon.budget.over);
	run(100);
	assert_int_equal(daemon.changes, 1);
	/* Someone came for whom there is. */
	daemon.can_lower = true;
	run(SPAN_S);
	assert_int_equal(daemon.budget.step, 1);
	assert_false(daemon.budget.over);
	daemon.base_ppm = PERCENT;
	run(RISE_S);
	assert_int_equal(daemon.budget.step, 0);
	(void)state;
}

static void test_within_again(void **state)
{
	begin(5 * PERCENT, 8 * PERCENT, 0);
	daemon.can_lower = false;
	run(SPAN_S);
	daemon.base_ppm = PERCENT;
	run(RISE_S);
	assert_false(daemon.budget.over);
	assert_int_equal(daemon.changes, 2);
	(void)state;
}

/* Nine tenths of what was given are no room, and not too much either: that is not said for ever. */
static void test_just_within_again(void **state)
{
	begin(5 * PERCENT, 8 * PERCENT, 0);
	run((SCAPH_BUDGET_STEPS + 1) * SPAN_S);
	assert_true(daemon.budget.over);
	daemon.base_ppm = 9 * PERCENT / 2;
	run(RISE_S - 1);
	assert_true(daemon.budget.over);
	run(1);
	assert_false(daemon.budget.over);
	assert_int_equal(daemon.budget.step, SCAPH_BUDGET_STEPS);
	run(1000);
	assert_int_equal(daemon.budget.step, SCAPH_BUDGET_STEPS);
	assert_int_equal(daemon.changes, SCAPH_BUDGET_STEPS + 2);
	/* One span in between begins the waiting anew. */
	for (int i = 0; i < 10; i++) {
		daemon.base_ppm = 8 * PERCENT;
		run(SPAN_S);
		daemon.base_ppm = 9 * PERCENT / 2;
		run(RISE_S - SPAN_S);
	}
	assert_true(daemon.budget.over);
	assert_int_equal(daemon.changes, SCAPH_BUDGET_STEPS + 3);
	(void)state;
}

/* Halted for an hour, and clocks that did not move or went back. */
static void test_odd_times(void **state)
{
	begin(5 * PERCENT, 2 * PERCENT, 0);
	run(10);
	daemon.now_ns += 3600 * NS_PER_S;
	run(10);
	assert_int_equal(daemon.changes, 0);
	assert_false(scaph_budget_note(&daemon.budget, daemon.now_ns, daemon.cpu_ns, true));
	assert_false(scaph_budget_note(&daemon.budget, BEGIN_NS, 0, true));
	daemon.cpu_ns = 0;
	run(10);
	assert_int_equal(daemon.changes, 0);
	assert_true(scaph_budget_note(&daemon.budget, daemon.now_ns + SPAN_S * NS_PER_S, UINT64_MAX,
				      true));
	assert_int_equal(daemon.budget.used_ppm, UINT32_MAX);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none_given),	  cmocka_unit_test(test_lowered),
		cmocka_unit_test(test_over_and_back),	  cmocka_unit_test(test_room),
		cmocka_unit_test(test_hysteresis),	  cmocka_unit_test(test_between_two_steps),
		cmocka_unit_test(test_nothing_to_lower),  cmocka_unit_test(test_within_again),
		cmocka_unit_test(test_just_within_again), cmocka_unit_test(test_odd_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
