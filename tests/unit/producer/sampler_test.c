/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler_test.c - how often counters are read between windows, and that the thread rests and wakes
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "producer/process/clock.h"
#include "producer/source/sampler.h"

#define WINDOW_NS (20 * SCAPH_NS_PER_MS)
#define PATIENCE_NS (20 * SCAPH_NS_PER_S)

static int read_counter(struct scaph_source *source, uint32_t package, uint64_t now_ns,
			uint64_t raw[SCAPH_ZONES])
{
	raw[SCAPH_ZONE_AT_PACKAGE] = now_ns;
	return 0;
}

static const struct scaph_source_ops ops = { .name = "script", .read = read_counter };

static void expect(uint64_t wrap_ms, uint32_t source_hz, uint32_t hz, uint64_t asked_us,
		   uint64_t need_us)
{
	struct scaph_source source = { .ops = &ops,
				       .packages = 1,
				       .wrap_ns = wrap_ms * SCAPH_NS_PER_MS,
				       .sample_hz = source_hz };
	struct scaph_sampler sampler;

	scaph_sampler_init(&sampler, &source, 0, -1, hz, WINDOW_NS);
	assert_int_equal(sampler.asked_ns, asked_us * 1000);
	assert_int_equal(sampler.need_ns, need_us * 1000);
	assert_int_equal(sampler.period_ns, asked_us * 1000);
}

static void test_rates(void **state)
{
	expect(0, 0, 0, 0, 0);
	expect(60000, 0, 0, 0, 0);
	/* No more often than windows end. */
	expect(0, 0, 50, 0, 0);
	expect(0, 0, 1000, 1000, 0);
	expect(0, 0, 200, 5000, 0);
	/* A counter that wraps in 80 ms, and less is asked for: the wrap counts. */
	expect(80, 0, 0, 10000, 10000);
	expect(80, 0, 60, 10000, 10000);
	expect(80, 0, 500, 2000, 10000);
	/* More than a thread can do. */
	expect(4, 0, 0, 1000, 1000);
	/* What the source itself asks for is needed. */
	expect(0, 100, 0, 10000, 10000);
	expect(80, 250, 0, 4000, 4000);
	expect(80, 250, 1000, 1000, 4000);
	(void)state;
}

static uint64_t reads_of(struct scaph_sampler *sampler)
{
	uint64_t reads;

	pthread_mutex_lock(&sampler->lock);
	reads = sampler->energy.reads;
	pthread_mutex_unlock(&sampler->lock);
	return reads;
}

static void await_reads(struct scaph_sampler *sampler, uint64_t reads)
{
	uint64_t end_ns = scaph_clock_ns(CLOCK_MONOTONIC) + PATIENCE_NS;

	while (reads_of(sampler) < reads && scaph_clock_ns(CLOCK_MONOTONIC) < end_ns)
		scaph_clock_sleep_until(scaph_clock_ns(CLOCK_MONOTONIC) + SCAPH_NS_PER_MS);
	assert_true(reads_of(sampler) >= reads);
}

static void test_rests_and_wakes(void **state)
{
	struct scaph_source source = { .ops = &ops, .packages = 1 };
	struct scaph_sampler sampler;
	uint64_t reads;

	source.package[0].zones = SCAPH_ZONE_PACKAGE;
	scaph_sampler_init(&sampler, &source, 0, -1, 1000, WINDOW_NS);
	assert_int_equal(scaph_sampler_start(&sampler), 0);
	await_reads(&sampler, 5);
	scaph_sampler_set_period(&sampler, 0);
	/* A lock that it holds while it reads: after this none is under way. */
	reads = reads_of(&sampler);
	scaph_clock_sleep_until(scaph_clock_ns(CLOCK_MONOTONIC) + 50 * SCAPH_NS_PER_MS);
	assert_int_equal(reads_of(&sampler), reads);
	scaph_sampler_set_period(&sampler, 2 * SCAPH_NS_PER_MS);
	await_reads(&sampler, reads + 5);
	/* One that rests can be ended. */
	scaph_sampler_set_period(&sampler, 0);
	scaph_sampler_stop(&sampler);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_rests_and_wakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
