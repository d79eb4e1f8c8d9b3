/* SPDX-License-Identifier: Apache-2.0 */
/*
 * price_test.c - the held price, idle power, and where a process runs
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer/process/clock.h"
#include "producer/account/idle.h"
#include "producer/meter/placement.h"
#include "producer/account/price.h"

#define WINDOW_NS (20 * SCAPH_NS_PER_MS)

static void grid(void **state)
{
	uint64_t last = 0;
	unsigned int points = 0;

	assert_int_equal(scaph_price_round(0), 0);
	for (uint64_t value = 1; value < UINT64_C(1) << 40; value += value / 200 + 1) {
		uint64_t point = scaph_price_round(value);
		uint64_t away = point > value ? point - value : value - point;

		/* Half a step of 2 % away at most, and of the grid itself. */
		assert_true(away * 98 <= value + 98);
		assert_int_equal(scaph_price_round(point), point);
		assert_true(point >= last);
		points += point != last;
		last = point;
	}
	assert_in_range(points, 1000, 1400);
}

/* One window of a package's shared domains at a price of units a ns; what was priced is settled as scaphd does. */
static void window(struct scaph_pricing *pricing, struct scaph_host_tally *tally, uint64_t cost,
		   uint64_t cpu_ns)
{
	scaph_price_note(pricing, 0, (unsigned __int128)cost * cpu_ns, cpu_ns);
	tally->float_units[0] +=
		(__int128)cost * (__int128)cpu_ns - (__int128)tally->price[0] * (__int128)cpu_ns;
	scaph_price_tick(pricing, WINDOW_NS, tally);
}

static void holds(void **state)
{
	struct scaph_pricing pricing = { .packages = 1 };
	struct scaph_host_tally tally = {};
	uint64_t changes = 0, last = 0;
	__int128 exact = 0, owed;

	for (int w = 0; w < 50 * 600; w++) {
		/* Hot and cold by turns of 7 s: the price is what they cost together. */
		uint64_t cost = w / 350 % 2 ? 30000000 : 50000000;

		window(&pricing, &tally, cost, 10 * SCAPH_NS_PER_MS);
		exact += (__int128)cost * (__int128)(10 * SCAPH_NS_PER_MS);
		changes += tally.price[0] != last;
		last = tally.price[0];
		if (w < 499)
			assert_int_equal(tally.price[0], 0);
	}
	assert_in_range(tally.price[0], 37000000, 43000000);
	/* 10, 20, 40, 80 s, then a minute each. */
	assert_in_range(changes, 2, 4 + 9);
	/* What was used before there was a price is nobody's debt; the rest is settled. */
	assert_true(tally.forgiven_units[0] ==
		    ((__int128)50000000 * 350 + (__int128)30000000 * 150) *
			    (10 * (__int128)SCAPH_NS_PER_MS));
	owed = tally.float_units[0] - tally.forgiven_units[0];
	assert_true(owed * 100 < exact && -owed * 100 < exact);
}

/* However the cost jumps, in a minute the price goes 31 steps and no more. */
static void moves_slowly(void **state)
{
	struct scaph_pricing pricing = { .packages = 1 };
	struct scaph_host_tally tally = {};
	uint64_t last = 0;

	for (int w = 0; w < 50 * 900; w++) {
		window(&pricing, &tally, w / (50 * 90) % 2 ? 1000000 : 100000000,
		       10 * SCAPH_NS_PER_MS);
		if (last && tally.price[0] != last) {
			double factor = (double)tally.price[0] / (double)last;

			factor = factor < 1 ? 1 / factor : factor;
			assert_true(factor < 1.86);
		}
		last = tally.price[0];
	}
}

/* A price that was there before the daemon: no quick first ones again. */
static void goes_on(void **state)
{
	struct scaph_pricing pricing = { .packages = 1 };
	struct scaph_host_tally tally = { .price = { 40000000 } };

	for (int w = 0; w < 50 * 59; w++)
		window(&pricing, &tally, 80000000, 10 * SCAPH_NS_PER_MS);
	assert_int_equal(tally.price[0], 40000000);
	for (int w = 0; w < 100; w++)
		window(&pricing, &tally, 80000000, 10 * SCAPH_NS_PER_MS);
	assert_true(tally.price[0] > 70000000);
}

static void two_packages(void **state)
{
	struct scaph_pricing pricing = { .packages = 2 };
	struct scaph_host_tally tally = {};

	for (int w = 0; w < 50 * 11; w++) {
		scaph_price_note(&pricing, 1, (unsigned __int128)5000000 * WINDOW_NS, WINDOW_NS);
		scaph_price_tick(&pricing, WINDOW_NS, &tally);
	}
	/* One that nobody used costs what the other does, until it is used. */
	assert_in_range(tally.price[1], 4900000, 5100000);
	assert_int_equal(tally.price[0], tally.price[1]);
}

static void idle(void **state)
{
	struct scaph_idle idle = { .cpus = 4 };
	uint64_t idle_uw = 7;
	int spans = 0;

	/* 12 W at 4 % busy, in windows of 20 ms. */
	for (int w = 0; w < 499; w++)
		assert_false(scaph_idle_note(&idle, WINDOW_NS, WINDOW_NS * 4 / 25,
					     (unsigned __int128)240000 << SCAPH_UNITS_SHIFT,
					     &idle_uw));
	assert_true(scaph_idle_note(&idle, WINDOW_NS, WINDOW_NS * 4 / 25,
				    (unsigned __int128)240000 << SCAPH_UNITS_SHIFT, &idle_uw));
	assert_int_equal(idle_uw, 12000000);
	/* At 6 % busy it is not idle power. */
	for (int w = 0; w < 2000; w++)
		spans += scaph_idle_note(&idle, WINDOW_NS, WINDOW_NS * 24 / 100, 1, &idle_uw);
	assert_int_equal(spans, 0);
	/* A window that is not known begins the span anew. */
	for (int w = 0; w < 2000; w++) {
		if (w % 400 == 0)
			scaph_idle_interrupt(&idle);
		spans += scaph_idle_note(&idle, WINDOW_NS, 0, 1, &idle_uw);
	}
	assert_int_equal(spans, 0);
}

static void placement(void **state)
{
	static struct scaph_topology topology = { .packages = 3, .cpus = SCAPH_CPUS_MAX };
	struct scaph_placement placement = {};
	uint64_t part_ns[SCAPH_PACKAGES_MAX];
	volatile uint64_t work = 0;

	/* Not known yet. */
	scaph_placement_divide(&placement, 3, 100, part_ns);
	assert_true(part_ns[0] == 100 && part_ns[1] == 0 && part_ns[2] == 0);
	placement.weight[1] = 1;
	placement.weight[2] = 2;
	scaph_placement_divide(&placement, 3, 100, part_ns);
	assert_true(part_ns[0] == 0 && part_ns[1] == 33 && part_ns[2] == 67);
	/* This very process, on a machine all of whose CPUs are package 2's. */
	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX; cpu++)
		topology.package_of[cpu] = 2;
	for (uint64_t start = scaph_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	     scaph_clock_ns(CLOCK_PROCESS_CPUTIME_ID) < start + 100 * SCAPH_NS_PER_MS;)
		work++;
	placement = (struct scaph_placement){};
	scaph_placement_look(&placement, &topology, "/proc", getpid(), 1);
	assert_true(placement.weight[0] == 0 && placement.weight[1] == 0);
	assert_true(placement.weight[2] >= 5);
	scaph_placement_divide(&placement, 3, 100, part_ns);
	assert_int_equal(part_ns[2], 100);
	/* One that is gone stays where it was. */
	scaph_placement_look(&placement, &topology, "/proc", 4194304, 2);
	assert_true(placement.weight[2] >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grid),		cmocka_unit_test(holds),
		cmocka_unit_test(moves_slowly), cmocka_unit_test(goes_on),
		cmocka_unit_test(two_packages), cmocka_unit_test(idle),
		cmocka_unit_test(placement),
	};

	return cmocka_run_group_tests_name("price", tests, NULL, NULL);
}
