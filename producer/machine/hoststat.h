/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hoststat.h - busy time of the host's packages from /proc/stat
 *
 * Busy is user, nice, system, irq and softirq; guest time is inside user time and not added again;
 * idle, iowait and steal are not busy. Steps of USER_HZ. The descriptor is kept open: a reading is
 * one pread. A CPU that goes offline takes its line away: what it had counted stays counted.
 */
#ifndef SCAPH_PRODUCER_HOSTSTAT_H
#define SCAPH_PRODUCER_HOSTSTAT_H

#include <stddef.h>
#include <stdint.h>

#include "producer/machine/topology.h"

struct scaph_hoststat {
	int fd;
	uint64_t tick_ns; /* of USER_HZ */
	const struct scaph_topology *topology;
	uint64_t *last_ticks; /* by CPU; UINT64_MAX: not seen yet */
	uint64_t busy_ticks[SCAPH_PACKAGES_MAX]; /* since the first reading */
	char *text;
	size_t size;
};

/* @topology outlives it. 0 or a negative errno. */
int scaph_hoststat_open(const char *procfs, const struct scaph_topology *topology,
			struct scaph_hoststat *ret_stat);
void scaph_hoststat_close(struct scaph_hoststat *stat);

/* Busy time of each package since the first reading, which gives 0: 0, or a negative errno. */
int scaph_hoststat_busy_ns(struct scaph_hoststat *stat, uint64_t ret_busy_ns[SCAPH_PACKAGES_MAX]);

#endif
