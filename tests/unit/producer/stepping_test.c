/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stepping_test.c - period and phase out of steps with jitter
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "producer/source/stepping.h"

#define PERIOD_NS 976000U
#define JITTER_NS 30000U
#define BEGIN_NS UINT64_C(5000000000)

/* Step N of a counter: some time after its turn, another for each. */
static uint64_t step_ns(uint64_t n)
{
	return BEGIN_NS + n * PERIOD_NS + n * 2654435761U % JITTER_NS;
}

static struct scaph_stepping learnt(void)
{
	struct scaph_stepping stepping = {};
	uint64_t at_ns[SCAPH_STEPPING_STEPS];

	for (uint64_t i = 0; i < SCAPH_STEPPING_STEPS; i++)
		at_ns[i] = step_ns(i);
	assert_true(scaph_stepping_learn(&stepping, at_ns));
	return stepping;
}

static uint64_t distance_ns(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static void test_learn(void **state)
{
	struct scaph_stepping stepping = learnt();

	assert_true(distance_ns(stepping.period_ns, PERIOD_NS) <= JITTER_NS / 8);
	assert_true(distance_ns(scaph_stepping_nearest_ns(&stepping, step_ns(9)), step_ns(9)) <
		    scaph_stepping_doubt_ns(&stepping, step_ns(9)));
	(void)state;
}

/* Whoever looked was away for two steps. */
static void test_learn_with_a_hole(void **state)
{
	struct scaph_stepping stepping = {};
	uint64_t at_ns[SCAPH_STEPPING_STEPS];

	for (uint64_t i = 0; i < SCAPH_STEPPING_STEPS; i++)
		at_ns[i] = step_ns(i < 5 ? i : i + 2);
	assert_true(scaph_stepping_learn(&stepping, at_ns));
	assert_true(distance_ns(stepping.period_ns, PERIOD_NS) <= JITTER_NS / 8);
	(void)state;
}

/* A counter that moves at each look, one that hardly moves, and one without a period. */
static void test_no_steps(void **state)
{
	struct scaph_stepping stepping = {};
	uint64_t fast_ns[SCAPH_STEPPING_STEPS], slow_ns[SCAPH_STEPPING_STEPS];
	uint64_t wild_ns[SCAPH_STEPPING_STEPS];

	for (uint64_t i = 0; i < SCAPH_STEPPING_STEPS; i++) {
		fast_ns[i] = BEGIN_NS + i * 3000;
		slow_ns[i] = BEGIN_NS + i * 50000000;
		wild_ns[i] = BEGIN_NS + i * (i + 1) * 350000;
	}
	assert_false(scaph_stepping_learn(&stepping, fast_ns));
	assert_false(scaph_stepping_learn(&stepping, slow_ns));
	assert_false(scaph_stepping_learn(&stepping, wild_ns));
	assert_int_equal(stepping.period_ns, 0);
	(void)state;
}

/* Seen once in 20 steps and for long, it is known to a part of its jitter. */
static void test_follow(void **state)
{
	struct scaph_stepping stepping = learnt();
	uint64_t last = 0;
	uint32_t seen = 0, far = 0;

	for (uint64_t n = 16; n < 4000; n += n < 64 ? 16 : 20, seen++) {
		uint64_t reckoned_ns = scaph_stepping_nearest_ns(&stepping, step_ns(n));

		far += distance_ns(reckoned_ns, step_ns(n)) >
		       scaph_stepping_doubt_ns(&stepping, step_ns(n));
		scaph_stepping_saw(&stepping, step_ns(n));
		last = n;
	}
	assert_true(far <= seen / 10);
	assert_true(distance_ns(stepping.period_ns, PERIOD_NS) < 300);
	assert_true(stepping.jitter_ns < JITTER_NS / 2);
	assert_true(scaph_stepping_nearest_ns(&stepping, step_ns(last + 20)) - step_ns(last + 20) +
			    JITTER_NS <
		    2 * JITTER_NS);
	(void)state;
}

static void test_doubt(void **state)
{
	struct scaph_stepping stepping = learnt();
	uint64_t at_ns = step_ns(40), before_ns = scaph_stepping_doubt_ns(&stepping, at_ns);

	for (int i = 0; i < 50; i++)
		scaph_stepping_doubt(&stepping);
	assert_true(scaph_stepping_doubt_ns(&stepping, at_ns) > before_ns);
	/* A step far off tells nothing. */
	before_ns = stepping.step_ns;
	scaph_stepping_saw(&stepping, step_ns(40) + PERIOD_NS / 2);
	assert_int_equal(stepping.step_ns, before_ns);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learn),	 cmocka_unit_test(test_learn_with_a_hole),
		cmocka_unit_test(test_no_steps), cmocka_unit_test(test_follow),
		cmocka_unit_test(test_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
