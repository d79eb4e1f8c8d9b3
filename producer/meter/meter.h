/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter.h - where CPU time per domain is read from: a small table of functions, one file a meter
 *
 * One sweep reads every domain and the packages' busy times at one instant. Sweeps are the publisher
 * thread's; all else is the main thread's, which may let readings in and out at any time: in before the
 * publisher sees them, out after it has seen them last.
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

#define SCAPH_METER_WHY_BYTES 512U

/* One process's or control group's part of a sweep; kept by the caller, zero but for what is before slot. */
struct scaph_reading {
	pid_t pid; /* 0: a control group */
	clockid_t cpu_clock;
	int usage_fd; /* of a control group's CPU time */
	bool usage_in_stat; /* it is a cpu.stat, else a cpuacct.usage */
	uint64_t birth_ticks; /* scaph_birth_ticks(), of a process */
	uint32_t slot; /* the meter's number for it */
	bool begun; /* there is a reading to subtract from */
	bool gone; /* its process ended: reads nothing more */
	uint64_t raw_ns; /* the meter's own last value */
	uint64_t cpu_ns; /* CPU time since the sweep before */
	uint64_t package_ns[SCAPH_PACKAGES_MAX]; /* the same by package */
	struct scaph_placement placement; /* kept by the meter */
};

struct scaph_meter;

struct scaph_meter_ops {
	const char *name;
	const char *about; /* how it counts, in a few words */
	uint32_t id; /* enum scaph_meter_id */
	uint64_t (*least_window_ns)(void); /* the shortest it can carry */
	/* Config and topology outlive it. *ret_why: set on failure, the middle of a line. */
	int (*open)(const struct scaph_config *config, const struct scaph_topology *topology,
		    struct scaph_meter **ret_meter, char ret_why[SCAPH_METER_WHY_BYTES]);
	/* Count for a reading, or no longer; NULL: nothing has to be done for that. */
	int (*enter)(struct scaph_meter *meter, struct scaph_reading *reading);
	void (*leave)(struct scaph_meter *meter, struct scaph_reading *reading);
	void (*tend)(struct scaph_meter *meter); /* every few seconds; or NULL */
	/*
	 * The first sweep of a reading sets its baseline: differences 0; so does the first of the
	 * meter. *ret_busy_ns is the busy time of each package, at least the sum of the readings.
	 */
	int (*sweep)(struct scaph_meter *meter, struct scaph_reading *const *readings,
		     uint32_t count, uint64_t ret_busy_ns[SCAPH_PACKAGES_MAX]);
	/* Time of tasks that it could not tell apart, since it was opened; NULL: there is none. */
	uint64_t (*unmet_ns)(const struct scaph_meter *meter);
	void (*close)(struct scaph_meter *meter);
};

struct scaph_meter {
	const struct scaph_meter_ops *ops;
	bool coarse; /* a domain's time on each package is inferred, not measured */
	char others[SCAPH_METER_WHY_BYTES + 32]; /* why not a better one; empty: there is none */
};

extern const struct scaph_meter_ops scaph_meter_bpf;
extern const struct scaph_meter_ops scaph_meter_cputime;

/* Open the meter the configuration names; 0 or a negative errno after one line. */
int scaph_meter_open(const struct scaph_config *config, const struct scaph_topology *topology,
		     struct scaph_meter **ret_meter);

/* Count for a reading from now on, or no longer: 0 or a negative errno. */
int scaph_meter_enter(struct scaph_meter *meter, struct scaph_reading *reading);
void scaph_meter_leave(struct scaph_meter *meter, struct scaph_reading *reading);

/* What is done every few seconds. */
void scaph_meter_tend(struct scaph_meter *meter);

#endif
