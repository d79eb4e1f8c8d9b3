/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passed_over_test.c - how often a process that is no machine is asked
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "producer/domain/passed_over.h"

#define TURN 16

/* One look at processes of these numbers; how many were asked. */
static unsigned int look(struct scaph_passed_over *passed, const pid_t *pids, unsigned int count)
{
	unsigned int asked = 0;

	scaph_passed_over_begin(passed);
	for (unsigned int i = 0; i < count; i++) {
		if (scaph_passed_over_skip(passed, pids[i]))
			continue;
		asked++;
		scaph_passed_over_note(passed, pids[i]);
	}
	return asked;
}

static void seldom(void **state)
{
	struct scaph_passed_over passed = {};
	unsigned int asked = 0;
	pid_t pids[1000];

	for (int i = 0; i < 1000; i++)
		pids[i] = 1 + 3 * i;
	for (int i = 0; i < 4; i++)
		assert_int_equal(look(&passed, pids, 1000), 1000);
	/* Each once a turn, and never many at once. */
	for (int i = 0; i < TURN; i++) {
		unsigned int now = look(&passed, pids, 1000);

		assert_true(now <= 1000 / TURN + 1);
		asked += now;
	}
	assert_int_equal(asked, 1000);
	scaph_passed_over_deinit(&passed);
}

/* A newcomer is asked at once, also under a number that was another's before the look before. */
static void newcomers(void **state)
{
	const pid_t all[] = { 2, 5, 9 }, some[] = { 2, 9 };
	struct scaph_passed_over passed = {};

	for (int i = 0; i < TURN; i++)
		look(&passed, some, 2);
	scaph_passed_over_begin(&passed);
	assert_false(scaph_passed_over_skip(&passed, 5));
	scaph_passed_over_note(&passed, 5);
	for (int i = 0; i < TURN; i++)
		look(&passed, all, 3);
	look(&passed, some, 2);
	scaph_passed_over_begin(&passed);
	assert_false(scaph_passed_over_skip(&passed, 5));
	scaph_passed_over_deinit(&passed);
}

/* One that is a machine is not noted, and asked at every look. */
static void machines(void **state)
{
	struct scaph_passed_over passed = {};

	for (int i = 0; i < 3 * TURN; i++) {
		scaph_passed_over_begin(&passed);
		if (!scaph_passed_over_skip(&passed, 3))
			scaph_passed_over_note(&passed, 3);
		assert_false(scaph_passed_over_skip(&passed, 7));
	}
	scaph_passed_over_deinit(&passed);
}

/* Out of order they are asked too often, never too seldom. */
static void disorder(void **state)
{
	const pid_t pids[] = { 9, 2, 5, 7, 1 };
	struct scaph_passed_over passed = {};
	unsigned int asked = 0;

	for (int i = 0; i < 4 * TURN; i++)
		asked += look(&passed, pids, 5);
	assert_true(asked >= 5 * 4);
	scaph_passed_over_deinit(&passed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seldom),
		cmocka_unit_test(newcomers),
		cmocka_unit_test(machines),
		cmocka_unit_test(disorder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
