/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost.c - two clocks round a stretch of calls, and the median of many such
 */
#include "tools/bench/guest/cost.h"

#include <time.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* The CPU's clock is a system call: outside, so that the other one does not see it. */
struct bench_mark bench_cost_begin(void)
{
	struct bench_mark mark = { .cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) };

	mark.wall_ns = bench_now_ns();
	return mark;
}

struct bench_mark bench_cost_end(struct bench_mark begun)
{
	struct bench_mark spent = { .wall_ns = bench_now_ns() - begun.wall_ns };

	spent.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begun.cpu_ns;
	return spent;
}

void bench_cost_add(struct bench_cost *cost, struct bench_mark spent, uint64_t records)
{
	if (!records)
		return;
	bench_series_add(&cost->wall_ns, (double)spent.wall_ns / (double)records);
	bench_series_add(&cost->cpu_ns, (double)spent.cpu_ns / (double)records);
}

void bench_cost_free(struct bench_cost *cost)
{
	bench_series_free(&cost->wall_ns);
	bench_series_free(&cost->cpu_ns);
}
