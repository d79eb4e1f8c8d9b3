/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_test.c - the energy of a command's time from records: against a power that is known at every instant
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consumer/run/ledger.h"

#define WINDOW_NS 20000000ULL
#define ORIGIN_NS 7000000000ULL /* of the host's time on our clock */
#define KNOWN ((uint32_t)SCAPH_HAS_PACKAGE | SCAPH_HAS_IDLE | SCAPH_HAS_CPU)

static struct scaph_ledger ledger;
static uint64_t burst_uj[4096]; /* in each window, all of it at one instant of the window */
static uint64_t instant_ns[4096];

static void fresh(void)
{
	memset(&ledger, 0, sizeof(ledger));
	ledger.window_ns = WINDOW_NS;
}

static struct scaph_record record_at(uint64_t number, uint64_t package_uj)
{
	return (struct scaph_record){
		.epoch_id = 5,
		.number = number,
		.mono_ns = (number + 1) * WINDOW_NS,
		.package_uj = package_uj,
		.idle_uj = package_uj / 2,
		.cpu_ns = number * 1000000,
		.flags = KNOWN,
	};
}

/* The truth: bursts whose instant lies in the time. */
static double truth_uj(uint64_t from_ns, uint64_t to_ns, uint64_t windows)
{
	double sum = 0;

	for (uint64_t i = 0; i < windows; i++) {
		uint64_t at_ns = ORIGIN_NS + i * WINDOW_NS + instant_ns[i];

		if (at_ns >= from_ns && at_ns < to_ns)
			sum += (double)burst_uj[i];
	}
	return sum;
}

/* As the watching process does: orders come late, records a little after their windows' ends. */
static const struct scaph_account *play(uint64_t from_ns, uint64_t to_ns, uint64_t windows)
{
	uint64_t sum = 0;

	fresh();
	for (uint64_t i = 0; i < windows; i++) {
		struct scaph_record record;
		uint64_t end_ns = ORIGIN_NS + (i + 1) * WINDOW_NS;

		sum += burst_uj[i];
		record = record_at(i, sum);
		if (!ledger.begun && end_ns >= from_ns + 30000000)
			scaph_ledger_begin(&ledger, from_ns);
		if (!ledger.ended && end_ns >= to_ns + 30000000)
			scaph_ledger_end(&ledger, to_ns);
		/* Every eighth is seen at once. */
		scaph_ledger_record(&ledger, &record,
				    end_ns + (i % 8 ? (uint64_t)random() % 5000000 : 0));
		if (ledger.ended && scaph_ledger_is_past(&ledger))
			break;
	}
	assert_true(ledger.ended);
	return scaph_ledger_close(&ledger);
}

static void bound_holds(void **state)
{
	double worst = 0;

	srandom(1);
	for (int round = 0; round < 400; round++) {
		uint64_t windows = 600, from_ns, to_ns;
		const struct scaph_account *account;
		double error;

		for (uint64_t i = 0; i < windows; i++) {
			burst_uj[i] = (uint64_t)random() % 2000000;
			instant_ns[i] = (uint64_t)random() % WINDOW_NS;
		}
		from_ns = ORIGIN_NS + 300000000 + (uint64_t)random() % 500000000;
		to_ns = from_ns + 45000000 +
			(uint64_t)random() % (round % 2 ? 9000000000ULL : 100000000);
		account = play(from_ns, to_ns, windows);
		error = fabs(account->package_uj - truth_uj(from_ns, to_ns, windows));
		assert_true(error <= account->bound_uj + 1);
		if (error / account->bound_uj > worst)
			worst = error / account->bound_uj;
		assert_int_equal(account->covered_ns, to_ns - from_ns);
		assert_true(account->records >= (to_ns - from_ns) / WINDOW_NS - 1);
		assert_true(fabs(account->idle_uj - account->package_uj / 2) <
			    account->records + 2);
		assert_int_equal(account->gaps, 0);
		assert_true(account->bound_uj <= 2 * 2000000);
	}
	/* A bound that nothing comes near would be none. */
	assert_true(worst > 0.5);
}

/* 10 W, and for 60 ms 40 W. */
static void highest(void **state)
{
	const struct scaph_account *account;

	for (uint64_t i = 0; i < 200; i++) {
		burst_uj[i] = i >= 100 && i < 103 ? 800000 : 200000;
		instant_ns[i] = 0;
	}
	account = play(ORIGIN_NS + 1000000000, ORIGIN_NS + 3000000000, 200);
	assert_true(account->has_peak);
	assert_int_equal(account->peak_uw, 40000000);
	/* Too short for any 50 ms: none, not zero. */
	account = play(ORIGIN_NS + 1000000000, ORIGIN_NS + 1045000000, 200);
	assert_false(account->has_peak);
	/* And what lies outside does not count. */
	account = play(ORIGIN_NS + 2100000000, ORIGIN_NS + 3000000000, 200);
	assert_int_equal(account->peak_uw, 10000000);
}

/* A new epoch has another clock and starts anew: the time between belongs to nobody. */
static void epochs(void **state)
{
	const struct scaph_account *account;
	struct scaph_record record;

	fresh();
	for (uint64_t i = 0; i < 50; i++) {
		record = record_at(i, i * 200000);
		scaph_ledger_record(&ledger, &record, ORIGIN_NS + record.mono_ns);
		if (i == 10)
			scaph_ledger_begin(&ledger, ORIGIN_NS + record.mono_ns);
	}
	for (uint64_t i = 0; i < 50; i++) {
		record = record_at(i, 1000 + i * 200000);
		record.epoch_id = 6;
		scaph_ledger_record(&ledger, &record, ORIGIN_NS + 5000000000 + record.mono_ns);
	}
	scaph_ledger_end(&ledger, ORIGIN_NS + 5000000000 + 40 * WINDOW_NS);
	assert_true(scaph_ledger_is_past(&ledger));
	account = scaph_ledger_close(&ledger);
	/* 39 windows behind the begin in the first, 39 between the records of the second. */
	assert_int_equal(account->covered_ns, (39 + 39) * WINDOW_NS);
	assert_int_equal(account->package_uj, 78 * 200000);
	assert_int_equal(account->gaps, 1);
}

static void gaps_and_zones(void **state)
{
	const struct scaph_account *account;
	struct scaph_record record;

	fresh();
	scaph_ledger_begin(&ledger, ORIGIN_NS + 5 * WINDOW_NS);
	for (uint64_t i = 0; i < 50; i++) {
		record = record_at(i, i * 200000);
		record.breaks = i >= 20;
		if (i == 30)
			record.flags = 0; /* still open: the next one covers it */
		if (i == 40)
			record.flags &= ~(uint32_t)SCAPH_HAS_IDLE;
		scaph_ledger_record(&ledger, &record, ORIGIN_NS + record.mono_ns);
	}
	scaph_ledger_end(&ledger, ORIGIN_NS + 50 * WINDOW_NS);
	account = scaph_ledger_close(&ledger);
	assert_int_equal(account->gaps, 1);
	assert_int_equal(account->covered_ns, 44 * WINDOW_NS);
	assert_int_equal(account->package_uj, 44 * 200000);
	/* What one part does not know the whole does not know. */
	assert_int_equal(account->flags & KNOWN, KNOWN & ~(uint32_t)SCAPH_HAS_IDLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bound_holds),
		cmocka_unit_test(highest),
		cmocka_unit_test(epochs),
		cmocka_unit_test(gaps_and_zones),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
