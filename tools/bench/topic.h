/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topic.h - what a benchmark run is made of: topics, each with its rows, visited round after round
 *
 * All topics take their turn in every round, so that whatever the machine does meanwhile falls on all of them alike and ratios
 * hold where times do not. A row keeps every sample; the report says medians and percentiles.
 */
#ifndef SCAPH_BENCH_TOPIC_H
#define SCAPH_BENCH_TOPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/bench/series.h"

enum bench_unit {
	BENCH_NS, /* less is better */
	BENCH_MREC_S, /* million records a second: more is better */
	BENCH_COUNT, /* of what should not happen */
};

struct bench_row {
	const char *key; /* in the JSON, without the unit */
	const char *title;
	const char *floor; /* key of the row it is compared with; NULL: none */
	enum bench_unit unit;
	struct bench_series series;
	const char *note; /* beside the row, for people */
};

struct bench_plan {
	unsigned int rounds;
	bool brief; /* small numbers of events: for a test that looks at ratios only */
	bool ended; /* before its time: nothing more is to be measured */
};

struct bench_topic {
	const char *title;
	struct bench_row *row;
	unsigned int rows;
	void (*open)(const struct bench_plan *plan);
	void (*round)(const struct bench_plan *plan);
	void (*close)(const struct bench_plan *plan); /* may add what is measured once */
};

extern struct bench_topic bench_floors, bench_publishing, bench_latest, bench_streaming,
	bench_latency, bench_rivals, bench_growth;

/* All of them, NULL at the end, in the order in which they are measured and shown. */
extern struct bench_topic *const bench_topics[];

/* A row by its key; NULL: there is none. */
struct bench_row *bench_row_find(const char *key);

/* A row's median, or NaN. */
double bench_row_median(const char *key);

#endif
