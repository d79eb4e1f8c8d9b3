/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge_test.c - what looking for a counter's steps may cost, on the real clock
 *
 * Costs are CPU time, which a busy machine makes no greater.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "producer/process/clock.h"
#include "producer/source/edge.h"

#define PERIOD_NS (2 * SCAPH_NS_PER_MS)
#define LEARNING_NS (32 * SCAPH_NS_PER_MS)
#define LEARNING_EVERY_NS (2 * SCAPH_NS_PER_S)
#define LOOK_ENDS_NS 20000U /* past its end, for the peek that is under way */

static uint64_t jitter_ns;

/* Steps with a period; each comes late by some part of the jitter. */
static int peek(struct scaph_source *source, uint32_t package, uint64_t *ret_raw)
{
	uint64_t now_ns = scaph_clock_ns(CLOCK_MONOTONIC), n = now_ns / PERIOD_NS;
	uint64_t late_ns = jitter_ns ? n * 2654435761U % jitter_ns : 0;

	*ret_raw = now_ns % PERIOD_NS < late_ns ? n - 1 : n;
	return 0;
}

static const struct scaph_source_ops ops = { .name = "script", .peek = peek };

struct run {
	struct scaph_edge edge;
	uint64_t elapsed_ns;
	unsigned int windows, at_steps;
};

static struct run follow(uint64_t window_ns, uint64_t span_ns, uint32_t thrift)
{
	static struct scaph_source source = { .ops = &ops, .packages = 1 };
	static struct scaph_sampler sampler;
	uint64_t begin_ns = scaph_clock_ns(CLOCK_MONOTONIC), now_ns = begin_ns, due_ns = begin_ns;
	struct run run = {};

	scaph_sampler_init(&sampler, &source, 0, -1, 0, window_ns);
	scaph_edge_init(&run.edge, &sampler);
	run.edge.thrift = thrift;
	for (; now_ns < begin_ns + span_ns; run.windows++) {
		uint64_t after_ns = now_ns;

		due_ns = (now_ns + window_ns / 2 > due_ns ? now_ns : due_ns) + window_ns;
		scaph_edge_learn(&run.edge, now_ns);
		scaph_clock_sleep_until(scaph_edge_plan(&run.edge, due_ns, after_ns));
		run.at_steps += scaph_edge_meet(&run.edge);
		now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	}
	run.elapsed_ns = now_ns - begin_ns;
	return run;
}

static uint64_t most_ns(const struct run *run)
{
	uint64_t learning_ns = (run->elapsed_ns / LEARNING_EVERY_NS + 1) * LEARNING_NS;

	return learning_ns + SCAPH_EDGE_LOOK_MAX_NS + run->elapsed_ns / SCAPH_EDGE_PARTS +
	       run->edge.looks * LOOK_ENDS_NS;
}

/* Three go with learning, each time that steps were lost, as on a busy machine. */
static uint64_t learning_looks(const struct run *run)
{
	return 3 * (run->elapsed_ns / LEARNING_EVERY_NS + 1);
}

/* Steps that are nowhere near where they are reckoned: without a bound a third of a core. */
static void test_bounded(void **state)
{
	struct run run;

	jitter_ns = PERIOD_NS * 6 / 10;
	run = follow(3 * SCAPH_NS_PER_MS, 1500 * SCAPH_NS_PER_MS, 0);
	assert_true(run.windows > 10);
	assert_true(run.edge.looks > 0);
	assert_true(run.edge.look_spent_ns > 0);
	assert_true(run.edge.look_spent_ns <= most_ns(&run));
	(void)state;
}

/* A quarter of the looks with each step of thrift; windows of 10 ms have one each at first. */
static void test_thrift(void **state)
{
	struct run full, thrifty;

	jitter_ns = 0;
	full = follow(10 * SCAPH_NS_PER_MS, 600 * SCAPH_NS_PER_MS, 0);
	thrifty = follow(10 * SCAPH_NS_PER_MS, 600 * SCAPH_NS_PER_MS, 1);
	assert_true(full.edge.looks <= full.windows + learning_looks(&full));
	assert_true(thrifty.edge.looks <=
		    thrifty.elapsed_ns / (4 * SCAPH_EDGE_LOOK_NS) + 1 + learning_looks(&thrifty));
	(void)state;
}

/* Whoever wakes when the look is over has seen nothing, and where the step may be is not known well. */
static void test_overslept(void **state)
{
	static struct scaph_source source = { .ops = &ops, .packages = 1 };
	static struct scaph_sampler sampler;
	uint64_t now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	struct scaph_edge edge;

	scaph_sampler_init(&sampler, &source, 0, -1, 0, 10 * SCAPH_NS_PER_MS);
	scaph_edge_init(&edge, &sampler);
	edge.stepping = (struct scaph_stepping){ .period_ns = PERIOD_NS,
						 .step_ns = now_ns / PERIOD_NS * PERIOD_NS,
						 .jitter_ns = PERIOD_NS,
						 .base = 1 };
	scaph_edge_plan(&edge, now_ns + 10 * SCAPH_NS_PER_MS, now_ns);
	assert_true(edge.wake_ns < edge.step_ns);
	assert_false(edge.sure);
	scaph_clock_sleep_until(edge.end_ns + 1);
	assert_false(scaph_edge_meet(&edge));
	assert_int_equal(edge.looks, 0);
	(void)state;
}

static void test_forget(void **state)
{
	struct run run;

	jitter_ns = 0;
	run = follow(10 * SCAPH_NS_PER_MS, 100 * SCAPH_NS_PER_MS, 0);
	scaph_edge_forget(&run.edge);
	assert_int_equal(scaph_edge_plan(&run.edge, 12345, 1234), 12345);
	assert_false(scaph_edge_meet(&run.edge));
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_thrift),
		cmocka_unit_test(test_overslept),
		cmocka_unit_test(test_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
