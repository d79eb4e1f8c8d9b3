/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tick.c - the kernel's tick
 */
#include "producer/process/tick.h"

#include <time.h>

#include "producer/process/clock.h"

#define TICK_DEFAULT_NS 10000000ULL
#define TICKS_PER_WINDOW 5

uint64_t scaph_tick_ns(void)
{
	struct timespec ts;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &ts) < 0 || ts.tv_sec || ts.tv_nsec <= 0)
		return TICK_DEFAULT_NS;
	return (uint64_t)ts.tv_nsec;
}

uint64_t scaph_tick_window_ns(void)
{
	uint64_t ms = (TICKS_PER_WINDOW * scaph_tick_ns() + SCAPH_NS_PER_MS - 1) / SCAPH_NS_PER_MS;

	return ms * SCAPH_NS_PER_MS;
}
