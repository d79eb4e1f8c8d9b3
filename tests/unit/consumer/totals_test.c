/* SPDX-License-Identifier: Apache-2.0 */
/*
 * totals_test.c - a run's ends against the sum of all its differences
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consumer/span.h"
#include "consumer/totals.h"

#define RECORDS 400
#define ROUNDS 300

/* The plain way: every difference that may be made, added. */
struct plain {
	struct scaph_span sum;
	struct scaph_record base;
	bool has_base;
};

static void plain_add(struct plain *plain, const struct scaph_record *record)
{
	struct scaph_span span;

	if (!(record->flags & SCAPH_HAS_ALL))
		return;
	if (plain->has_base && scaph_between(&plain->base, record, &span) == SCAPH_OK)
		scaph_span_add(&plain->sum, &span);
	plain->base = *record;
	plain->has_base = true;
}

/* A stream with gaps, epochs, records that know less or nothing, and lost ones. */
static void make(struct scaph_record *record, uint32_t count)
{
	struct scaph_record at = {
		.epoch_id = 1,
		.flags = SCAPH_HAS_PACKAGE | SCAPH_HAS_IDLE | SCAPH_HAS_CPU,
	};

	for (uint32_t i = 0; i < count; i++) {
		uint64_t step = 1 + (uint64_t)(rand() % 3 == 0);

		at.number += step;
		at.mono_ns += step * 20000000;
		at.package_uj += (uint64_t)(rand() % 1000);
		at.idle_uj += (uint64_t)(rand() % 10);
		at.cpu_ns += (uint64_t)(rand() % 20000000);
		if (rand() % 40 == 0)
			at.breaks++;
		if (rand() % 60 == 0) {
			at.epoch_id++;
			at.number = 0;
			at.breaks = 0;
			at.mono_ns = (uint64_t)(rand() % 1000000);
		}
		if (rand() % 50 == 0)
			at.flags ^= SCAPH_IS_LATE;
		record[i] = at;
		if (rand() % 30 == 0)
			record[i].flags &= ~SCAPH_HAS_ALL;
	}
}

static void sums_are_the_same(void **state)
{
	static struct scaph_record record[RECORDS];

	srand(4);
	for (int round = 0; round < ROUNDS; round++) {
		struct scaph_totals totals = {};
		struct plain plain = {};
		struct scaph_span sum;
		uint64_t before_uj = 0;

		make(record, RECORDS);
		for (uint32_t i = 0; i < RECORDS;) {
			uint32_t batch = 1 + (uint32_t)(rand() % 9);

			if (batch > RECORDS - i)
				batch = RECORDS - i;
			scaph_totals_extend(&totals, &record[i], batch);
			while (batch--)
				plain_add(&plain, &record[i++]);
			scaph_totals_sum(&totals, &sum);
			assert_int_equal(sum.package_uj, plain.sum.package_uj);
			assert_true(sum.package_uj >= before_uj);
			before_uj = sum.package_uj;
		}
		assert_memory_equal(&sum, &plain.sum, sizeof(sum));
	}
}

/* A counter never goes back; one that does must not take back what was said. */
static void never_steps_back(void **state)
{
	static const uint64_t said_uj[] = { 0, 1000, 1000, 3990 };
	struct scaph_record record[4] = {};
	struct scaph_totals totals = {};
	struct scaph_span sum;

	for (uint32_t i = 0; i < 4; i++) {
		record[i] = (struct scaph_record){
			.number = i,
			.mono_ns = 20000000 * (i + 1),
			.package_uj = 1000 * i,
			.flags = SCAPH_HAS_PACKAGE,
		};
	}
	record[2].package_uj = 10;
	for (uint32_t i = 0; i < 4; i++) {
		scaph_totals_extend(&totals, &record[i], 1);
		scaph_totals_sum(&totals, &sum);
		assert_int_equal(sum.package_uj, said_uj[i]);
	}
}

static void nothing_is_nothing(void **state)
{
	struct scaph_record record = { .number = 1, .mono_ns = 1, .flags = SCAPH_HAS_PACKAGE };
	struct scaph_totals totals = {};
	struct scaph_span sum, zero = {};

	scaph_totals_sum(&totals, &sum);
	assert_memory_equal(&sum, &zero, sizeof(sum));
	scaph_totals_extend(&totals, &record, 1);
	scaph_totals_sum(&totals, &sum);
	assert_memory_equal(&sum, &zero, sizeof(sum));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_the_same),
		cmocka_unit_test(never_steps_back),
		cmocka_unit_test(nothing_is_nothing),
	};

	return cmocka_run_group_tests_name("totals", tests, NULL, NULL);
}
