/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hoststat.h - busy time of the whole host from /proc/stat
 *
 * Busy is user, nice, system, irq and softirq; guest time is inside user time and not added again;
 * idle, iowait and steal are not busy. Steps of USER_HZ. The descriptor is kept open: a reading is
 * one pread.
 */
#ifndef SCAPH_PRODUCER_HOSTSTAT_H
#define SCAPH_PRODUCER_HOSTSTAT_H

#include <stdint.h>

struct scaph_hoststat {
	int fd;
	uint64_t tick_ns; /* of USER_HZ */
};

/* 0 or a negative errno. */
int scaph_hoststat_open(struct scaph_hoststat *ret_stat);
void scaph_hoststat_close(struct scaph_hoststat *stat);

/* Busy time of all CPUs since boot: 0 and set, or a negative errno. */
int scaph_hoststat_busy_ns(struct scaph_hoststat *stat, uint64_t *ret_busy_ns);

#endif
