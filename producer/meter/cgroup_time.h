/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_time.h - a control group's CPU time out of its open counter
 */
#ifndef SCAPH_PRODUCER_CGROUP_TIME_H
#define SCAPH_PRODUCER_CGROUP_TIME_H

#include <stdbool.h>
#include <stdint.h>

/**
 * scaph_cgroup_time_ns() - CPU time of a group, of those beneath it, and of whoever was in them
 * @fd:      of cpuacct.usage (version 1), or of cpu.stat (version 2)
 * @in_stat: which
 * @ret_ns:  set only on 0
 *
 * Context:  publisher thread; one pread, no allocation.
 * Source:   cgroups(7); the kernel's cgroup-v2.rst, "cpu.stat", usage_usec; cgroup-v1/cpuacct.rst.
 * Return:   0; -ENODEV: the group was removed; another negative errno.
 */
int scaph_cgroup_time_ns(int fd, bool in_stat, uint64_t *ret_ns);

#endif
