/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost.h - what something costs a record: time that passed and time of the CPU, many samples, their median
 *
 * A sample is one stretch of calls divided by the records that it brought. The clocks' own cost is in it, in everybody's.
 * One thread.
 */
#ifndef SCAPH_BENCH_COST_H
#define SCAPH_BENCH_COST_H

#include <stdint.h>

#include "tools/bench/series.h"
#include "tools/bench/ticks.h"

struct bench_cost {
	struct bench_series wall_ns; /* CLOCK_MONOTONIC, a record */
	struct bench_series cpu_ns; /* this thread's, a record */
};

struct bench_mark {
	uint64_t wall_ns;
	uint64_t cpu_ns;
};

/* A stretch begins. */
struct bench_mark bench_cost_begin(void);

/* It ends, and cost what a sample of each is divided by: @records of 0 is none. */
struct bench_mark bench_cost_end(struct bench_mark begun);
void bench_cost_add(struct bench_cost *cost, struct bench_mark spent, uint64_t records);

void bench_cost_free(struct bench_cost *cost);

#endif
