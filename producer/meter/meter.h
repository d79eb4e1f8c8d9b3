/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter.h - where CPU time per domain is read from: a small table of functions, one file a meter
 *
 * One sweep reads every domain and the packages' busy times at one instant. Used by the publisher
 * thread only.
 */
#ifndef SCAPH_PRODUCER_METER_H
#define SCAPH_PRODUCER_METER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "producer/config/config.h"
#include "producer/meter/placement.h"
#include "producer/machine/topology.h"

/* One process's or control group's part of a sweep; kept between sweeps by the caller, zero but for those before begun. */
struct scaph_reading {
	pid_t pid; /* 0: a control group */
	clockid_t cpu_clock;
	int usage_fd; /* of a control group's CPU time */
	bool usage_in_stat; /* it is a cpu.stat, else a cpuacct.usage */
	bool begun; /* raw_ns is a reading to subtract from */
	bool gone; /* its process ended: reads nothing more */
	uint64_t raw_ns; /* the meter's own last value */
	uint64_t cpu_ns; /* CPU time since the sweep before */
	uint64_t package_ns[SCAPH_PACKAGES_MAX]; /* the same by package */
	struct scaph_placement placement; /* kept by the meter */
};

struct scaph_meter;

struct scaph_meter_ops {
	const char *name;
	uint32_t id; /* enum scaph_meter_id */
	uint64_t (*least_window_ns)(void); /* the shortest it can carry */
	int (*open)(const struct scaph_config *config, const struct scaph_topology *topology,
		    struct scaph_meter **ret_meter);
	/*
	 * The first sweep of a reading sets its baseline: differences 0; so does the first of the
	 * meter. *ret_busy_ns is the busy time of each package, at least the sum of the readings.
	 */
	int (*sweep)(struct scaph_meter *meter, struct scaph_reading *const *readings,
		     uint32_t count, uint64_t ret_busy_ns[SCAPH_PACKAGES_MAX]);
	void (*close)(struct scaph_meter *meter);
};

struct scaph_meter {
	const struct scaph_meter_ops *ops;
	bool coarse; /* a domain's time on each package is inferred, not measured */
};

extern const struct scaph_meter_ops scaph_meter_cputime;

/* Open the meter the configuration names; 0 or a negative errno after one line. */
int scaph_meter_open(const struct scaph_config *config, const struct scaph_topology *topology,
		     struct scaph_meter **ret_meter);

#endif
