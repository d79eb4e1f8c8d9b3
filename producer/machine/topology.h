/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topology.h - which CPUs there are, and which package (or die) each belongs to
 *
 * Read once at start from sysfs, or with --topology the packages from a file, and /proc/cpuinfo. Ids
 * may be sparse; a CPU that is offline has no
 * topology in sysfs and is attributed to nothing until it is seen online.
 */
#ifndef SCAPH_PRODUCER_TOPOLOGY_H
#define SCAPH_PRODUCER_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/config/config.h"
#include "proto/layout.h"

#define SCAPH_CPUS_MAX 4096U
#define SCAPH_PACKAGE_NONE UINT16_MAX
#define SCAPH_PACKAGE_NAME_BYTES 48U

enum scaph_vendor { SCAPH_VENDOR_OTHER, SCAPH_VENDOR_INTEL, SCAPH_VENDOR_AMD, SCAPH_VENDOR_HYGON };

struct scaph_topology {
	enum scaph_vendor vendor;
	uint32_t family, model;
	uint32_t cpus; /* greatest CPU number + 1 */
	uint32_t online; /* CPUs that were online */
	uint32_t packages;
	struct {
		uint32_t package_id, die_id; /* as sysfs numbers them */
		uint32_t cpus; /* online in it */
	} package[SCAPH_PACKAGES_MAX];
	uint16_t package_of[SCAPH_CPUS_MAX]; /* index into package, or SCAPH_PACKAGE_NONE */
	bool quiet[SCAPH_CPUS_MAX]; /* isolated or nohz_full: not a place for our threads */
};

/* config->sysfs and config->procfs say where to look. 0, or a negative errno after one line. */
int scaph_topology_read(const struct scaph_config *config, struct scaph_topology *ret_topology);

/*
 * Spread the CPUs over another number of packages, in order: a trace of another machine is played.
 */
void scaph_topology_fold(struct scaph_topology *topology, uint32_t packages);

/* A processor whose dies have counters of their own, and not its packages: Cascade Lake-AP. */
bool scaph_topology_per_die(enum scaph_vendor vendor, uint32_t family, uint32_t model);

/* A CPU of a package for a thread of ours: online, not quiet if there is such; -1: none. */
int scaph_topology_cpu_for(const struct scaph_topology *topology, uint32_t package);

/* As people know it: "package 3", where dies count for themselves "package 3 die 1". */
void scaph_topology_name(const struct scaph_topology *topology, uint32_t package,
			 char ret_name[SCAPH_PACKAGE_NAME_BYTES]);

#endif
