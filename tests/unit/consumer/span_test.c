/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span_test.c - subtraction of records, through the shared library as a program links it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consumer/scaph.h"

static struct scaph_record record_at(uint64_t number)
{
	return (struct scaph_record){
		.epoch_id = 7,
		.number = number,
		.mono_ns = 20000000 * number,
		.package_uj = 1000 * number,
		.core_uj = 600 * number,
		.idle_uj = 100 * number,
		.cpu_ns = 5000000 * number,
		.flags = SCAPH_HAS_PACKAGE | SCAPH_HAS_CORE | SCAPH_HAS_IDLE | SCAPH_HAS_CPU,
	};
}

static void subtracts(void **state)
{
	struct scaph_record from = record_at(10), to = record_at(60);
	struct scaph_span span;

	to.flags |= SCAPH_IS_LATE;
	to.flags &= ~(uint32_t)SCAPH_HAS_CORE;
	assert_int_equal(scaph_between(&from, &to, &span), SCAPH_OK);
	assert_int_equal(span.duration_ns, 1000000000);
	assert_int_equal(span.package_uj, 50000);
	assert_int_equal(span.power_uw, 50000);
	assert_int_equal(span.idle_uj, 5000);
	assert_int_equal(span.cpu_ns, 250000000);
	/* Known only if both ends know it. */
	assert_int_equal(span.core_uj, 0);
	assert_int_equal(span.dram_uj, 0);
	assert_int_equal(span.flags,
			 SCAPH_HAS_PACKAGE | SCAPH_HAS_IDLE | SCAPH_HAS_CPU | SCAPH_IS_LATE);
}

#define EXPECT_GAP(change)                                                                         \
	do {                                                                                       \
		struct scaph_record from = record_at(10), to = record_at(60);                      \
		struct scaph_span span, untouched;                                                 \
		memset(&span, 0x5a, sizeof(span));                                                 \
		untouched = span;                                                                  \
		change;                                                                            \
		assert_int_equal(scaph_between(&from, &to, &span), SCAPH_GAP);                     \
		assert_memory_equal(&span, &untouched, sizeof(span));                              \
	} while (0)

static void gaps(void **state)
{
	EXPECT_GAP(to.epoch_id++);
	EXPECT_GAP(to.breaks++);
	EXPECT_GAP(to.number = from.number);
	EXPECT_GAP(to.number = from.number - 1);
	EXPECT_GAP(to.mono_ns = from.mono_ns);
	EXPECT_GAP(to.mono_ns = from.mono_ns - 1);
	EXPECT_GAP(to.package_uj = from.package_uj - 1);
	EXPECT_GAP(to.cpu_ns = from.cpu_ns - 1);
}

static void wide(void **state)
{
	struct scaph_record from = record_at(10), to = record_at(60);
	struct scaph_span span;

	/* A megawatt for a century does not overflow. */
	to.mono_ns = from.mono_ns + 3155760000000000000ULL;
	to.package_uj = from.package_uj + 3155760000000000000ULL;
	assert_int_equal(scaph_between(&from, &to, &span), SCAPH_OK);
	assert_int_equal(span.power_uw, 1000000000);
}

static void refusals(void **state)
{
	struct scaph_options options = { .size = 1 };
	struct scaph_reader *reader = NULL;

	assert_true(scaph_open("/nonexistent", NULL, &reader) < 0);
	assert_true(scaph_open("/dev/null", NULL, &reader) < 0);
	assert_true(scaph_open("/", &options, &reader) < 0);
	options = (struct scaph_options){ .size = sizeof(options), .mode = 3 };
	assert_true(scaph_open("/", &options, &reader) < 0);
	assert_null(reader);
	scaph_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subtracts),
		cmocka_unit_test(gaps),
		cmocka_unit_test(wide),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
