/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series.c - keeping samples and picking percentiles
 */
#include "tools/bench/series.h"

#include <err.h>
#include <math.h>
#include <stdlib.h>

#define FIRST_ROOM 64

void bench_series_add(struct bench_series *series, double sample)
{
	if (series->count == series->room) {
		size_t room = series->room ? 2 * series->room : FIRST_ROOM;
		double *grown = realloc(series->sample, room * sizeof(*grown));

		if (!grown)
			err(1, "no memory for %zu samples", room);
		series->sample = grown;
		series->room = room;
	}
	series->sample[series->count++] = sample;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_series_percentile(struct bench_series *series, double percent)
{
	size_t at;

	if (!series->count)
		return NAN;
	qsort(series->sample, series->count, sizeof(*series->sample), by_value);
	at = (size_t)(percent / 100 * (double)(series->count - 1) + 0.5);
	return series->sample[at];
}

void bench_series_free(struct bench_series *series)
{
	free(series->sample);
	*series = (struct bench_series){};
}
