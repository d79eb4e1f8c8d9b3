/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - where energy is read from: a small table of functions, one file a source
 *
 * A source gives cumulative microjoules per zone since it was opened. It is sampled under the sampler's lock, by one thread at
 * a time, and must not allocate, log or block there.
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

struct scaph_energy {
	uint64_t zone_uj[SCAPH_ZONES]; /* cumulative since open */
	bool lost; /* the source ended or fails: figures stand still */
};

struct scaph_source;

struct scaph_source_ops {
	const char *name;
	uint32_t id; /* enum scaph_source_id */
	const char *usage;
	/* @argument: what stood behind the colon, or NULL. 0 or a negative errno after one line on standard error. */
	int (*open)(const struct scaph_config *config, const char *argument,
		    struct scaph_source **ret_source);
	/* Bring *energy up to now_ns (CLOCK_MONOTONIC). */
	void (*sample)(struct scaph_source *source, uint64_t now_ns, struct scaph_energy *energy);
	void (*close)(struct scaph_source *source);
};

/* What every source begins with. */
struct scaph_source {
	const struct scaph_source_ops *ops;
	uint32_t zones; /* enum scaph_zone_bit */
	bool estimated;
	bool idle_known;
	uint64_t idle_uw; /* package */
};

extern const struct scaph_source_ops scaph_source_model;
extern const struct scaph_source_ops scaph_source_replay;

/* Open the source the configuration names; 0 or a negative errno after one line. */
int scaph_source_open(const struct scaph_config *config, struct scaph_source **ret_source);

#endif
