/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - nanoseconds of the clocks the daemon uses
 */
#ifndef SCAPH_PRODUCER_CLOCK_H
#define SCAPH_PRODUCER_CLOCK_H

#include <errno.h>
#include <stdint.h>
#include <time.h>

#define SCAPH_NS_PER_S UINT64_C(1000000000)
#define SCAPH_NS_PER_MS UINT64_C(1000000)

static inline uint64_t scaph_clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * SCAPH_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Sleep to an absolute time of CLOCK_MONOTONIC, whatever signals come. */
static inline void scaph_clock_sleep_until(uint64_t mono_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(mono_ns / SCAPH_NS_PER_S),
		.tv_nsec = (long)(mono_ns % SCAPH_NS_PER_S),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

#endif
