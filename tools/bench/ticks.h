/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticks.h - the cheapest clock of the machine, for single events of some nanoseconds
 *
 * Where the processor has a counter that runs at one rate on all cores (TSC, Arm's virtual counter) it is read directly;
 * elsewhere it is CLOCK_MONOTONIC. Loops over many events are timed by CLOCK_MONOTONIC.
 */
#ifndef SCAPH_BENCH_TICKS_H
#define SCAPH_BENCH_TICKS_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL

static inline uint64_t bench_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static inline uint64_t bench_ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
	return bench_now_ns();
#endif
}

/* The same, after all that stands before it is done: for the end of an event whose work could be overtaken. */
static inline uint64_t bench_ticks_after(void)
{
#if defined(__x86_64__)
	__asm__ volatile("lfence" : : : "memory");
#elif defined(__aarch64__)
	__asm__ volatile("isb" : : : "memory");
#endif
	return bench_ticks();
}

static inline void bench_sleep_until(uint64_t mono_ns)
{
	struct timespec ts = { .tv_sec = (time_t)(mono_ns / NS_PER_S),
			       .tv_nsec = (long)(mono_ns % NS_PER_S) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Measured against CLOCK_MONOTONIC once, at the first call: 20 ms. */
double bench_ns_per_tick(void);

/* Do nothing for some ticks without leaving the core. */
static inline void bench_spin_ticks(uint64_t ticks)
{
	uint64_t from = bench_ticks();

	while (bench_ticks() - from < ticks)
		;
}

#endif
