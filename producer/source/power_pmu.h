/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power_pmu.h - what sysfs says of the kernel's power PMU: its type, its events and their units
 */
#ifndef SCAPH_PRODUCER_POWER_PMU_H
#define SCAPH_PRODUCER_POWER_PMU_H

#include "producer/source/source.h"

struct scaph_power_pmu {
	uint32_t type; /* perf_event_attr.type */
	uint32_t zones; /* enum scaph_zone_bit: that it has events for */
	uint64_t config[SCAPH_ZONES];
	uint64_t step_units[SCAPH_ZONES];
	int cpu[SCAPH_PACKAGES_MAX]; /* that counts for a package of the topology */
};

/**
 * scaph_power_pmu_read() - read SYSFS/bus/event_source/devices/power
 * @ret_pmu: set on 0: the package zone is there, and a CPU for every package
 * @ret_why: set on failure: one clause
 *
 * Return:   0 or a negative errno.
 */
int scaph_power_pmu_read(const struct scaph_config *config, const struct scaph_topology *topology,
			 struct scaph_power_pmu *ret_pmu, char ret_why[SCAPH_SOURCE_WHY_BYTES]);

/*
 * A decimal scale in joules as units of 2^-32 microjoule, exactly: 2.3283064365386962890625e-10 is
 * 2^-32 J and so 10^6 units. 0; -EINVAL: no such number; -EDOM: no whole number of units; -ERANGE.
 */
int scaph_power_pmu_parse_scale(const char *text, uint64_t *ret_step_units);

/* "event=0x02" as the event's code: 0 or -EINVAL. Other terms would mean another format. */
int scaph_power_pmu_parse_event(const char *text, uint64_t *ret_config);

#endif
