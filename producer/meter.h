/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter.h - where CPU time per domain is read from: a small table of functions, one file a meter
 *
 * One sweep reads every domain and the host's busy time at one instant. Used by the publisher
 * thread only.
 */
#ifndef SCAPH_PRODUCER_METER_H
#define SCAPH_PRODUCER_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/config.h"
#include "producer/domain.h"

/* One domain's part of a sweep; kept between sweeps by the caller. */
struct scaph_reading {
	const struct scaph_domain *domain;
	bool gone; /* its process ended: reads nothing more */
	uint64_t raw_ns; /* the meter's own last value */
	uint64_t cpu_ns; /* CPU time since the sweep before */
};

struct scaph_meter;

struct scaph_meter_ops {
	const char *name;
	uint32_t id; /* enum scaph_meter_id */
	uint64_t (*least_window_ns)(void); /* the shortest it can carry */
	int (*open)(const struct scaph_config *config, struct scaph_meter **ret_meter);
	/*
	 * The first sweep sets the baseline: all differences 0. *ret_busy_ns is at least the sum of
	 * the readings.
	 */
	int (*sweep)(struct scaph_meter *meter, struct scaph_reading *readings, uint32_t count,
		     uint64_t *ret_busy_ns);
	void (*close)(struct scaph_meter *meter);
};

struct scaph_meter {
	const struct scaph_meter_ops *ops;
};

extern const struct scaph_meter_ops scaph_meter_cputime;

/* Open the meter the configuration names; 0 or a negative errno after one line. */
int scaph_meter_open(const struct scaph_config *config, struct scaph_meter **ret_meter);

#endif
