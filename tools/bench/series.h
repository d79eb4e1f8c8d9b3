/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series.h - samples of one quantity, and what is said of them
 *
 * Medians and percentiles only: on a shared machine a mean tells about the neighbours. Owner: one measurement; one thread at
 * a time.
 */
#ifndef SCAPH_BENCH_SERIES_H
#define SCAPH_BENCH_SERIES_H

#include <stddef.h>

struct bench_series {
	double *sample;
	size_t count;
	size_t room;
};

/* Ends the program when memory is short: a benchmark without its samples has nothing to say. */
void bench_series_add(struct bench_series *series, double sample);

/**
 * bench_series_percentile() - the sample below which @percent of all lie
 * @series:  sorted by this call
 * @percent: 0 to 100; 50 is the median, 100 the worst
 *
 * Return:   NaN of an empty series.
 */
double bench_series_percentile(struct bench_series *series, double percent);

void bench_series_free(struct bench_series *series);

#endif
