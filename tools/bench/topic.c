/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topic.c - the topics in order, and finding a row
 */
#include "tools/bench/topic.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

struct bench_topic *const bench_topics[] = {
	&bench_floors,	&bench_publishing, &bench_latest, &bench_streaming,
	&bench_latency, &bench_rivals,	   &bench_growth, NULL,
};

struct bench_row *bench_row_find(const char *key)
{
	for (unsigned int i = 0; bench_topics[i]; i++) {
		for (unsigned int j = 0; j < bench_topics[i]->rows; j++) {
			if (strcmp(bench_topics[i]->row[j].key, key) == 0)
				return &bench_topics[i]->row[j];
		}
	}
	return NULL;
}

double bench_row_median(const char *key)
{
	struct bench_row *row = bench_row_find(key);

	return row ? bench_series_percentile(&row->series, 50) : NAN;
}
