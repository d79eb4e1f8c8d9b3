/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lazy_clock.c - reading the clock, and judging the caller's pace
 */
#include "consumer/lazy_clock.h"

#define NS_PER_S 1000000000ULL
#define CALLS_MAX 64
#define CALL_MAX_NS 1000 /* a caller slower than that can afford a reading each time */

uint64_t scaph_lazy_clock_read(struct scaph_lazy_clock *clock)
{
	uint64_t before_ns = clock->now_ns, calls = clock->granted - clock->left + 1;
	bool steady = clock->asked && !clock->mixed;
	struct timespec ts;

	/* The second first: if it changes in between, the next call finds that out. */
	clock->second = time(NULL);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	clock->now_ns = (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
	clock->granted = steady && clock->now_ns - before_ns <= calls * CALL_MAX_NS ? CALLS_MAX : 0;
	clock->left = clock->granted;
	clock->mixed = false;
	clock->asked = false;
	return clock->now_ns;
}
