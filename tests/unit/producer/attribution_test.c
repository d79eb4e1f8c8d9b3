/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attribution_test.c - the ledger over many random windows: conserved, indifferent to company, never a debt to anyone
 *
 * tests/unit/producer/ledger.py is the independent reference: exact fractions over the trace that this program prints when it
 * is given a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "producer/account/attribution.h"

#define DOMAINS 5
#define WINDOWS 100000
#define CPUS 8U

struct window {
	uint64_t energy_uj, dt_ns, busy_ns;
	uint64_t cpu_ns[DOMAINS];
};

static unsigned __int128 units(uint64_t energy_uj)
{
	return (unsigned __int128)energy_uj << SCAPH_UNITS_SHIFT;
}

static uint64_t below(uint64_t limit)
{
	return ((uint64_t)rand() << 31 ^ (uint64_t)rand()) % limit;
}

/* Busy and idle spells, hot and cold ones, windows in which nothing ran, late windows. */
static struct window random_window(void)
{
	struct window window = { .dt_ns = 20000000 + below(200000) };
	uint64_t left_ns;

	if (below(50) == 0)
		window.dt_ns *= 1 + below(100);
	left_ns = below(4) ? below(CPUS * window.dt_ns) : 0;
	window.busy_ns = left_ns;
	for (int d = 0; d < DOMAINS; d++) {
		window.cpu_ns[d] = left_ns && below(3) ? below(left_ns + 1) : 0;
		left_ns -= window.cpu_ns[d];
	}
	window.energy_uj = below(3) ? window.dt_ns / 1000 * below(300)
				    : below(window.dt_ns / 100000);
	return window;
}

struct ledger {
	struct scaph_splitter splitter;
	struct scaph_account account[DOMAINS];
	unsigned __int128 measured_uj;
};

static struct ledger new_ledger(void)
{
	return (struct ledger){ .splitter = {
					.idle_known = true, .idle_uw = 12345678, .packages = 1 } };
}

static void credit(struct scaph_account *account, const struct scaph_portion *portion,
		   const struct scaph_basis *basis, uint64_t cpu_ns, uint32_t weight)
{
	struct scaph_rates rates = scaph_attribution_rates(portion, basis);

	scaph_attribution_credit(account, &rates, cpu_ns, weight);
}

static void close_window(struct ledger *ledger, const struct window *window)
{
	struct scaph_basis basis = { .busy_ns = window->busy_ns, .seats = CPUS };
	struct scaph_portion portion =
		scaph_attribution_split(&ledger->splitter, units(window->energy_uj), window->dt_ns);

	assert_true(portion.dynamic_units + portion.idle_units ==
		    (unsigned __int128)window->energy_uj << SCAPH_UNITS_SHIFT);
	for (int d = 0; d < DOMAINS; d++)
		credit(&ledger->account[d], &portion, &basis, window->cpu_ns[d], 1);
	ledger->measured_uj += window->energy_uj;
}

static void conserved(void **state)
{
	struct ledger ledger = new_ledger();

	srand(1);
	for (int w = 0; w < WINDOWS; w++) {
		struct window window = random_window();
		unsigned __int128 sum = 0;

		close_window(&ledger, &window);
		for (int d = 0; d < DOMAINS; d++) {
			assert_true(ledger.account[d].idle_units <= ledger.account[d].total_units);
			sum += ledger.account[d].total_units;
		}
		assert_true(sum <= ledger.measured_uj << SCAPH_UNITS_SHIFT);
	}
}

/* Everything to one domain on a host as large as it: the residual is dust. */
static void whole_host(void **state)
{
	struct scaph_splitter splitter = { .idle_known = true, .idle_uw = 10000000, .packages = 1 };
	struct scaph_account account = {};
	uint64_t measured_uj = 0;

	for (int w = 0; w < WINDOWS; w++) {
		struct scaph_basis basis = { .busy_ns = 20000000, .seats = 2 };
		struct scaph_portion portion =
			scaph_attribution_split(&splitter, units(700001), 20000000);

		credit(&account, &portion, &basis, 20000000, 2);
		measured_uj += 700001;
	}
	assert_int_equal(scaph_units_uj(account.total_units), measured_uj);
	/* 10 W for 100,000 windows of 20 ms. */
	assert_int_equal(scaph_units_uj(account.idle_units), 20000000000);
}

/* A sleeping domain more, and another order, change nothing; a domain in two parts is what it was but for dust. */
static void indifferent(void **state)
{
	struct ledger ledger = new_ledger();
	struct scaph_account half[2] = {}, alone = {};
	struct scaph_splitter splitter = ledger.splitter;

	srand(2);
	for (int w = 0; w < WINDOWS; w++) {
		struct window window = random_window();
		struct scaph_basis basis = { .busy_ns = window.busy_ns, .seats = CPUS };
		struct scaph_portion portion =
			scaph_attribution_split(&splitter, units(window.energy_uj), window.dt_ns);
		uint64_t part_ns = window.cpu_ns[3] ? below(window.cpu_ns[3] + 1) : 0;

		close_window(&ledger, &window);
		credit(&alone, &portion, &basis, window.cpu_ns[3], 1);
		credit(&half[0], &portion, &basis, part_ns, 1);
		credit(&half[1], &portion, &basis, window.cpu_ns[3] - part_ns, 0);
	}
	assert_true(alone.total_units == ledger.account[3].total_units);
	assert_true(alone.total_units - half[0].total_units - half[1].total_units <= WINDOWS);
}

static void debts(void **state)
{
	struct scaph_splitter splitter = { .idle_known = true, .idle_uw = 10000000, .packages = 1 };
	struct scaph_portion portion;

	/* 100 ms at 10 W are 1 J. Half of it measured: all idle, the other half owed. */
	portion = scaph_attribution_split(&splitter, units(500000), 100000000);
	assert_int_equal(scaph_units_uj(portion.dynamic_units), 0);
	assert_int_equal(scaph_units_uj(portion.idle_units), 500000);
	/* 1.75 J: 1 J idle, 0.5 J pays the debt, 0.25 J is dynamic. */
	portion = scaph_attribution_split(&splitter, units(1750000), 100000000);
	assert_int_equal(scaph_units_uj(portion.dynamic_units), 250000);
	assert_int_equal(scaph_units_uj(portion.idle_units), 1500000);
	assert_true(splitter.debt_units == 0);
	/* Idle power not known: all is dynamic. */
	splitter = (struct scaph_splitter){};
	portion = scaph_attribution_split(&splitter, units(42), 100000000);
	assert_int_equal(scaph_units_uj(portion.dynamic_units), 42);
	assert_true(portion.idle_units == 0);
}

static void nobody_ran(void **state)
{
	struct scaph_portion portion = { .dynamic_units = 7, .idle_units = 8 };
	struct scaph_basis basis = { .busy_ns = 0, .seats = 4 };
	struct scaph_account account = {};

	credit(&account, &portion, &basis, 0, 1);
	assert_true(account.total_units == 2 && account.idle_units == 2);
}

/* The trace of a run, for the reference to do over in fractions. */
static int print_trace(const char *path)
{
	struct ledger ledger = new_ledger();
	FILE *file = fopen(path, "w");

	if (!file)
		return EXIT_FAILURE;
	srand(3);
	fprintf(file, "%llu %u %u\n", (unsigned long long)ledger.splitter.idle_uw, DOMAINS, CPUS);
	for (int w = 0; w < WINDOWS / 20; w++) {
		struct window window = random_window();

		close_window(&ledger, &window);
		fprintf(file, "%llu %llu %llu", (unsigned long long)window.energy_uj,
			(unsigned long long)window.dt_ns, (unsigned long long)window.busy_ns);
		for (int d = 0; d < DOMAINS; d++)
			fprintf(file, " %llu %llu %llu", (unsigned long long)window.cpu_ns[d],
				(unsigned long long)scaph_units_uj(ledger.account[d].total_units),
				(unsigned long long)scaph_units_uj(ledger.account[d].idle_units));
		fprintf(file, "\n");
	}
	return fclose(file) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conserved),   cmocka_unit_test(whole_host),
		cmocka_unit_test(indifferent), cmocka_unit_test(debts),
		cmocka_unit_test(nobody_ran),
	};

	if (argc == 2)
		return print_trace(argv[1]);
	return cmocka_run_group_tests_name("attribution", tests, NULL, NULL);
}
