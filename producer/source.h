/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - where energy is read from: a small table of functions, one file a source
 *
 * A source gives raw counters; the sampler makes them 64-bit microjoules. It is read under the
 * sampler's lock, by one thread at a time, and must not allocate, log or block there.
 */
#ifndef SCAPH_PRODUCER_SOURCE_H
#define SCAPH_PRODUCER_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/config.h"
#include "proto/layout.h"

/* Zones in the order of enum scaph_zone_bit. */
enum {
	SCAPH_ZONE_AT_PACKAGE,
	SCAPH_ZONE_AT_CORE,
	SCAPH_ZONE_AT_UNCORE,
	SCAPH_ZONE_AT_DRAM,
	SCAPH_ZONE_AT_PSYS,
	SCAPH_ZONES,
};

enum scaph_source_result {
	SCAPH_SOURCE_ENDED = 1, /* the values given are the last there will be */
};

struct scaph_source;

struct scaph_source_ops {
	const char *name;
	uint32_t id; /* enum scaph_source_id */
	const char *usage; /* how to ask for it */
	/*
	 * @argument: what stood behind the colon, or NULL. 0 or a negative errno after one line on
	 * standard error.
	 */
	int (*open)(const struct scaph_config *config, const char *argument,
		    struct scaph_source **ret_source);
	/*
	 * Every counter of the source as of now_ns (CLOCK_MONOTONIC, never going back).
	 * 0, SCAPH_SOURCE_ENDED (the counters are set too), or a negative errno: not readable now.
	 */
	int (*read)(struct scaph_source *source, uint64_t now_ns, uint64_t raw_uj[SCAPH_ZONES]);
	void (*close)(struct scaph_source *source);
};

/* What every source begins with. */
struct scaph_source {
	const struct scaph_source_ops *ops;
	uint32_t zones; /* enum scaph_zone_bit */
	bool estimated;
	bool idle_known;
	uint64_t idle_uw; /* package */
	uint64_t range_uj[SCAPH_ZONES]; /* greatest value before 0; 0: does not wrap */
	uint64_t wrap_ns; /* the shortest time in which one of them can wrap; 0: none does */
	uint32_t sample_hz; /* how often it wants to be read; 0: at the windows' ends is enough */
	char about[128]; /* one clause for people */
};

extern const struct scaph_source_ops scaph_source_model;
extern const struct scaph_source_ops scaph_source_replay;

/* Open the source the configuration names; 0 or a negative errno after one line. */
int scaph_source_open(const struct scaph_config *config, struct scaph_source **ret_source);

/* The word of a zone, and the zone of a word: -1 if there is none. */
const char *scaph_source_zone_word(int zone);
int scaph_source_zone_of(const char *word);

#endif
