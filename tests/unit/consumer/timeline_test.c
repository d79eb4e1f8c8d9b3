/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline_test.c - the offset is always between its bounds, and they are as narrow as what was seen allows
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "consumer/timeline.h"

#define NS_PER_MS 1000000ULL
#define EPOCH 0x123456789abcULL

static void begin(struct scaph_timeline *timeline, uint64_t origin_ns)
{
	scaph_timeline_begin(timeline, EPOCH, origin_ns);
}

static void test_needs_both_sides(void **state)
{
	struct scaph_timeline timeline;
	struct scaph_timeline_range host;

	begin(&timeline, 0);
	assert_true(scaph_timeline_width_ns(&timeline, 1000) == UINT64_MAX);
	/* Offset 5,000,000: record 1 of host time 1,000 was seen 300 after its time, record 2 not before that. */
	scaph_timeline_saw(&timeline, 1000, 5001300);
	assert_true(scaph_timeline_width_ns(&timeline, 5001300) == UINT64_MAX);
	scaph_timeline_missed(&timeline, 2, 5001250);
	/* The host's clock was 1,500 when record 1 was there: nobody missed that one. */
	scaph_timeline_passed(&timeline, 1, 1500);
	assert_true(scaph_timeline_width_ns(&timeline, 5001300) == UINT64_MAX);
	scaph_timeline_passed(&timeline, 2, 1500);
	assert_int_equal(scaph_timeline_width_ns(&timeline, 5001250),
			 5001300 - 1000 - (5001250 - 1500) + 2);
	host = scaph_timeline_host(&timeline, 5001250);
	assert_int_equal(host.first_ns, 5001250 - 5000300 - 1);
	assert_int_equal(host.last_ns, 1500 + 1);
}

/* The best one stands, until drift has made it worse than another; both ways in time. */
static void test_grows_old(void **state)
{
	struct scaph_timeline timeline;
	uint64_t at_ns = 1000 * NS_PER_MS;

	begin(&timeline, 0);
	scaph_timeline_missed(&timeline, 1, at_ns);
	scaph_timeline_passed(&timeline, 1, 0 + 10);
	scaph_timeline_saw(&timeline, 0, at_ns + 20);
	scaph_timeline_saw(&timeline, 1000, at_ns + 1000 + 50);
	assert_int_equal(timeline.upper.offset_ns, at_ns + 20);
	assert_in_range(scaph_timeline_width_ns(&timeline, at_ns + 500 * NS_PER_MS), 100000,
			100100);
	assert_in_range(scaph_timeline_width_ns(&timeline, at_ns - 500 * NS_PER_MS), 100000,
			100100);
	scaph_timeline_saw(&timeline, 500 * NS_PER_MS, at_ns + 500 * NS_PER_MS + 40000);
	assert_int_equal(timeline.upper.offset_ns, at_ns + 40000);
}

static void test_stood_still(void **state)
{
	struct scaph_timeline timeline;
	uint64_t at_ns = 1000 * NS_PER_MS, later_ns;

	begin(&timeline, 0);
	scaph_timeline_missed(&timeline, 1, at_ns);
	scaph_timeline_passed(&timeline, 1, 100);
	scaph_timeline_saw(&timeline, 50, at_ns + 70);
	assert_int_equal(timeline.valid_from_ns, 0);
	/* Ours did not go on for 3 ms: the host's time is later than it can be. */
	later_ns = at_ns + 20 * NS_PER_MS;
	scaph_timeline_saw(&timeline, 23 * NS_PER_MS, later_ns + 100);
	assert_int_equal(timeline.valid_from_ns, later_ns + 100);
	assert_true(scaph_timeline_width_ns(&timeline, later_ns) == UINT64_MAX);
	scaph_timeline_missed(&timeline, 9, later_ns + 200);
	scaph_timeline_passed(&timeline, 9, 23 * NS_PER_MS + 300);
	assert_true(scaph_timeline_width_ns(&timeline, later_ns) < 1000);
	/* The host's did not: a record comes far too late. */
	scaph_timeline_missed(&timeline, 10, later_ns + 50 * NS_PER_MS);
	scaph_timeline_passed(&timeline, 10, 40 * NS_PER_MS);
	assert_int_equal(timeline.valid_from_ns, later_ns + 50 * NS_PER_MS);
	assert_false(timeline.upper.known);
}

static void test_origin(void **state)
{
	struct scaph_timeline timeline;
	struct scaph_timeline_range host;

	begin(&timeline, 7 * NS_PER_MS);
	assert_int_equal(scaph_timeline_width_ns(&timeline, 0), 0);
	scaph_timeline_saw(&timeline, NS_PER_MS, 8 * NS_PER_MS + 100);
	scaph_timeline_missed(&timeline, 5, 8 * NS_PER_MS + 50);
	scaph_timeline_passed(&timeline, 5, 2 * NS_PER_MS);
	host = scaph_timeline_host(&timeline, 9 * NS_PER_MS);
	assert_int_equal(host.first_ns, 2 * NS_PER_MS);
	assert_int_equal(host.last_ns, 2 * NS_PER_MS);
	/* Seen before it can have been: another machine's clock, or a container's. */
	scaph_timeline_saw(&timeline, 3 * NS_PER_MS, 10 * NS_PER_MS - 1);
	assert_false(timeline.exact);
	begin(&timeline, 7 * NS_PER_MS);
	scaph_timeline_missed(&timeline, 5, 30 * NS_PER_MS);
	scaph_timeline_passed(&timeline, 5, 2 * NS_PER_MS);
	assert_false(timeline.exact);
}

/* Whatever the segment says nothing overflows (the sanitizers look) and width is no small number by accident. */
static void test_any_times(void **state)
{
	static const uint64_t odd[] = { 0,	    1,		UINT64_MAX,
					1ULL << 63, 1ULL << 62, (1ULL << 61) + 1,
					1ULL << 61, INT64_MAX };
	struct scaph_timeline timeline;

	for (size_t i = 0; i < 8 * 8 * 8; i++) {
		begin(&timeline, odd[i % 8]);
		for (size_t j = 0; j < 16; j++) {
			uint64_t time_ns = odd[(i / 8 + j) % 8], own_ns = odd[(i / 64 + 3 * j) % 8];

			scaph_timeline_saw(&timeline, time_ns, own_ns);
			scaph_timeline_missed(&timeline, time_ns, own_ns);
			scaph_timeline_passed(&timeline, time_ns, time_ns + 5);
			if (scaph_timeline_width_ns(&timeline, 1000) != UINT64_MAX)
				scaph_timeline_host(&timeline, 1000);
		}
	}
}

static uint64_t delay_ns(void)
{
	return 20000 + (uint64_t)(drand48() * drand48() * drand48() * 3e6);
}

/* A host and a guest whose clocks drift apart by 80 ppm; looks at any time; records and statuses that come late. */
static void test_never_outside(void **state)
{
	const uint64_t offset_ns = 77777 * NS_PER_MS, window_ns = 5 * NS_PER_MS;
	uint64_t looked = 0, worst_ns = 0;

	srand48(1);
	for (int sign = -1; sign <= 1; sign += 2) {
		struct scaph_timeline timeline;
		uint64_t host_ns = 0, number = 0, stored_ns = 0, status_ns = 0, record_ns = 0;

		begin(&timeline, 0);
		for (int i = 0; i < 20000; i++) {
			uint64_t look_ns, own_ns, width_ns;
			int64_t drift_ns;
			bool told;

			/* The next record, and each 200th time a status; a look between it and the one before. */
			record_ns = host_ns + window_ns;
			look_ns =
				stored_ns + (uint64_t)(drand48() * (double)(record_ns - stored_ns));
			drift_ns = sign * (int64_t)(look_ns / 12500);
			own_ns = look_ns + offset_ns + (uint64_t)drift_ns;
			scaph_timeline_missed(&timeline, number + 1, own_ns);
			if (number) {
				scaph_timeline_passed(&timeline, number - 1, host_ns);
				scaph_timeline_saw(&timeline, host_ns, own_ns + 100);
			}
			told = status_ns && stored_ns <= look_ns;
			if (told) {
				scaph_timeline_saw(&timeline, status_ns, own_ns + 200);
				scaph_timeline_passed(&timeline, number, status_ns);
				status_ns = 0;
			}
			width_ns = scaph_timeline_width_ns(&timeline, own_ns);
			if (width_ns != UINT64_MAX) {
				struct scaph_timeline_range host =
					scaph_timeline_host(&timeline, own_ns);

				assert_true(host.first_ns <= (int64_t)look_ns);
				assert_true(host.last_ns >= (int64_t)look_ns);
				looked++;
				worst_ns = i > 1000 && width_ns > worst_ns ? width_ns : worst_ns;
			}
			host_ns = record_ns;
			stored_ns = record_ns + delay_ns();
			number++;
			if (number % 200 == 0)
				status_ns = stored_ns + 1000;
			stored_ns += 2000;
		}
		assert_int_equal(timeline.valid_from_ns, 0);
	}
	assert_true(looked > 39000);
	/* Statuses make it less than the window that records alone would leave. */
	assert_true(worst_ns < window_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needs_both_sides), cmocka_unit_test(test_grows_old),
		cmocka_unit_test(test_stood_still),	 cmocka_unit_test(test_origin),
		cmocka_unit_test(test_any_times),	 cmocka_unit_test(test_never_outside),
	};

	return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
