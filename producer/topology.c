/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topology.c - CPUs and packages from sysfs
 */
#include "producer/topology.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/log.h"

/* A number that stands alone in a file of sysfs; false: there is none. */
static bool read_number(const char *sysfs, const char *leaf, uint32_t cpu, long *ret_number)
{
	char path[PATH_MAX], text[32] = "";
	FILE *file;
	char *end;

	snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%u/%s", sysfs, cpu, leaf);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	*ret_number = strtol(text, &end, 10);
	return end != text;
}

static uint16_t package_index(struct scaph_topology *topology, long package_id, long die_id)
{
	uint32_t i;

	for (i = 0; i < topology->packages; i++) {
		if (topology->package[i].package_id == package_id &&
		    topology->package[i].die_id == die_id)
			return (uint16_t)i;
	}
	if (i == SCAPH_PACKAGES_MAX)
		return SCAPH_PACKAGE_NONE;
	topology->package[i].package_id = (uint32_t)package_id;
	topology->package[i].die_id = (uint32_t)die_id;
	topology->packages++;
	return (uint16_t)i;
}

int scaph_topology_read(const struct scaph_config *config, struct scaph_topology *ret_topology)
{
	memset(ret_topology, 0, sizeof(*ret_topology));
	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX; cpu++) {
		long package_id, die_id = 0;

		ret_topology->package_of[cpu] = SCAPH_PACKAGE_NONE;
		if (!read_number(config->sysfs, "topology/physical_package_id", cpu, &package_id))
			continue;
		ret_topology->package_of[cpu] = package_index(ret_topology, package_id, die_id);
		ret_topology->cpus = cpu + 1;
		if (ret_topology->package_of[cpu] == SCAPH_PACKAGE_NONE)
			continue;
		ret_topology->online++;
		ret_topology->package[ret_topology->package_of[cpu]].cpus++;
	}
	if (ret_topology->packages)
		return 0;
	scaph_error("%s/devices/system/cpu: no CPU topology; give --sysfs the place where sysfs is "
		    "mounted",
		    config->sysfs);
	return -ENOENT;
}

void scaph_topology_fold(struct scaph_topology *topology, uint32_t packages)
{
	uint32_t seen = 0;

	memset(topology->package, 0, sizeof(topology->package));
	topology->packages = packages;
	for (uint32_t p = 0; p < packages; p++)
		topology->package[p].package_id = p;
	for (uint32_t cpu = 0; cpu < topology->cpus; cpu++) {
		if (topology->package_of[cpu] == SCAPH_PACKAGE_NONE)
			continue;
		topology->package_of[cpu] = (uint16_t)(seen++ * packages / topology->online);
		topology->package[topology->package_of[cpu]].cpus++;
	}
}

int scaph_topology_cpu_for(const struct scaph_topology *topology, uint32_t package)
{
	int found = -1;

	for (uint32_t cpu = 0; cpu < topology->cpus; cpu++) {
		if (topology->package_of[cpu] != package)
			continue;
		if (!topology->quiet[cpu])
			return (int)cpu;
		if (found < 0)
			found = (int)cpu;
	}
	return found;
}
