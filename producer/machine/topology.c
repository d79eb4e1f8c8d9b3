/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topology.c - CPUs and packages from sysfs or a file, the processor from /proc/cpuinfo
 *
 * A CPU that goes offline between two looks is taken as offline. What is missing of one that stays
 * online is a fault and said: half a topology would give energy to the wrong package.
 */
#include "producer/machine/topology.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/machine/attribute.h"
#include "producer/process/log.h"
#include "producer/machine/processor.h"
#include "producer/config/quantity.h"
#include "producer/machine/topology_file.h"

#define INTEL_FAMILY 6U
#define CASCADE_LAKE 0x55U

#define ID_NONE UINT32_MAX /* as platforms without ids have it: -1 */

struct reading {
	const struct scaph_config *config;
	struct scaph_topology *topology;
	bool online[SCAPH_CPUS_MAX];
	uint32_t package_id[SCAPH_CPUS_MAX], die_id[SCAPH_CPUS_MAX]; /* of those that are online */
};

static void cpu_path(const struct reading *reading, char path[PATH_MAX], const char *leaf)
{
	snprintf(path, PATH_MAX, "%s/devices/system/cpu/%s", reading->config->sysfs, leaf);
}

static int read_online(struct reading *reading)
{
	char path[PATH_MAX];
	int r;

	cpu_path(reading, path, "online");
	r = scaph_attribute_cpus(path, reading->online);
	if (r == -ERANGE)
		scaph_error("%s: this version knows CPUs up to number %u", path,
			    SCAPH_CPUS_MAX - 1);
	else if (r)
		scaph_error("%s: %s; mount sysfs there, or say with --sysfs where it is", path,
			    r == -EINVAL ? "no list of CPUs" : strerror(-r));
	return r;
}

/* CPUs that may come online later are counted too; those beyond what we know are left alone. */
static void read_possible(struct reading *reading)
{
	bool possible[SCAPH_CPUS_MAX];
	char path[PATH_MAX];

	cpu_path(reading, path, "possible");
	if (scaph_attribute_cpus(path, possible))
		memset(possible, 0, sizeof(possible));
	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX; cpu++) {
		if (possible[cpu] || reading->online[cpu])
			reading->topology->cpus = cpu + 1;
	}
}

static void read_quiet(struct reading *reading)
{
	static const char *const leaves[] = { "isolated", "nohz_full" };
	bool quiet[SCAPH_CPUS_MAX];
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		cpu_path(reading, path, leaves[i]);
		/* A kernel built without such lists has no such CPUs. */
		if (scaph_attribute_cpus(path, quiet))
			continue;
		for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX; cpu++)
			reading->topology->quiet[cpu] |= quiet[cpu];
	}
}

/* One id of one CPU: 0 with ID_NONE where it is "-1". */
static int read_id(const struct reading *reading, uint32_t cpu, const char *leaf,
		   char ret_path[PATH_MAX], uint32_t *ret_id)
{
	char text[32];
	uint64_t id;
	int r;

	snprintf(ret_path, PATH_MAX, "%s/devices/system/cpu/cpu%u/topology/%s",
		 reading->config->sysfs, cpu, leaf);
	r = scaph_attribute_read(ret_path, text, sizeof(text));
	if (r)
		return r;
	if (strcmp(text, "-1") == 0) {
		*ret_id = ID_NONE;
		return 0;
	}
	if (scaph_quantity_number(text, &id) || id >= ID_NONE)
		return -EINVAL;
	*ret_id = (uint32_t)id;
	return 0;
}

/* Online no more by a second look? Else what is missing of it is missing. */
static bool went_offline(const struct reading *reading, uint32_t cpu)
{
	bool online[SCAPH_CPUS_MAX];
	char path[PATH_MAX];

	cpu_path(reading, path, "online");
	return scaph_attribute_cpus(path, online) == 0 && !online[cpu];
}

bool scaph_topology_per_die(enum scaph_vendor vendor, uint32_t family, uint32_t model)
{
	return vendor == SCAPH_VENDOR_INTEL && family == INTEL_FAMILY && model == CASCADE_LAKE;
}

static int read_ids(struct reading *reading, uint32_t cpu, char ret_path[PATH_MAX])
{
	const struct scaph_topology *topology = reading->topology;
	int r = read_id(reading, cpu, "physical_package_id", ret_path, &reading->package_id[cpu]);

	if (r || !scaph_topology_per_die(topology->vendor, topology->family, topology->model))
		return r;
	r = read_id(reading, cpu, "die_id", ret_path, &reading->die_id[cpu]);
	/* Kernels before 5.2 know no dies. */
	if (r == -ENOENT && !went_offline(reading, cpu))
		return 0;
	if (r == 0 && reading->die_id[cpu] == ID_NONE)
		reading->die_id[cpu] = 0;
	return r;
}

static int read_cpu(struct reading *reading, uint32_t cpu)
{
	char path[PATH_MAX];
	int r = read_ids(reading, cpu, path);

	if (r && went_offline(reading, cpu)) {
		reading->online[cpu] = false;
		return 0;
	}
	if (r)
		scaph_error("%s: %s, though CPU %u is online: half a topology; make %s a whole "
			    "sysfs",
			    path, r == -EINVAL ? "no number" : strerror(-r), cpu,
			    reading->config->sysfs);
	return r;
}

/* The file's packages, which have to be of the CPUs that there are. */
static int read_file(struct reading *reading)
{
	const char *path = reading->config->topology;
	const char *origin = scaph_config_origin(reading->config, "topology");
	int r = scaph_topology_file_read(path, origin, reading->package_id);

	read_possible(reading);
	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX && r == 0; cpu++) {
		bool named = reading->package_id[cpu] != SCAPH_TOPOLOGY_FILE_NONE;

		if (named && cpu >= reading->topology->cpus) {
			scaph_error("%s %s: this machine has no CPU %u; its CPUs are 0 to %u",
				    origin, path, cpu, reading->topology->cpus - 1);
			r = -EINVAL;
		} else if (!named && reading->online[cpu]) {
			scaph_error(
				"%s %s: CPU %u is online and of no package there; name every CPU",
				origin, path, cpu);
			r = -EINVAL;
		}
	}
	if (r == 0)
		scaph_warning(
			"%s %s: packages are as this file says, and not as the machine does: "
			"for tests and machines that number them wrongly; energy of a package "
			"is given to what runs on the CPUs named there",
			origin, path);
	return r;
}

/* Either every CPU has a package or none has: then all are of one. */
static int settle_ids(struct reading *reading)
{
	int64_t with = -1, without = -1;

	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX; cpu++) {
		if (!reading->online[cpu])
			continue;
		if (reading->package_id[cpu] == ID_NONE)
			without = cpu;
		else
			with = cpu;
	}
	if (with >= 0 && without >= 0) {
		scaph_error("half a topology: CPU %" PRId64 " has a package and CPU %" PRId64
			    " has physical_package_id -1; make %s a whole sysfs",
			    with, without, reading->config->sysfs);
		return -ENODATA;
	}
	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX && without >= 0; cpu++)
		reading->package_id[cpu] = 0;
	return 0;
}

static int read_cpus(struct reading *reading)
{
	int r = 0;

	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX && r == 0; cpu++) {
		if (reading->online[cpu])
			r = read_cpu(reading, cpu);
	}
	return r ? r : settle_ids(reading);
}

static uint32_t find_package(const struct scaph_topology *topology, uint32_t package_id,
			     uint32_t die_id)
{
	uint32_t at = 0;

	while (at < topology->packages && (topology->package[at].package_id != package_id ||
					   topology->package[at].die_id != die_id))
		at++;
	return at;
}

static int compare_packages(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b; /* package_id, die_id */

	if (left[0] != right[0])
		return left[0] < right[0] ? -1 : 1;
	return (left[1] > right[1]) - (left[1] < right[1]);
}

/* Packages in the order of their ids, whatever order their CPUs are numbered in. */
static int collect_packages(struct reading *reading)
{
	struct scaph_topology *topology = reading->topology;

	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX; cpu++) {
		uint32_t package_id = reading->package_id[cpu], die_id = reading->die_id[cpu], at;

		if (!reading->online[cpu])
			continue;
		at = find_package(topology, package_id, die_id);
		if (at == SCAPH_PACKAGES_MAX) {
			scaph_error("this machine has more than %u packages, which this version "
				    "cannot divide",
				    SCAPH_PACKAGES_MAX);
			return -E2BIG;
		}
		if (at < topology->packages)
			continue;
		topology->package[at].package_id = package_id;
		topology->package[at].die_id = die_id;
		topology->packages++;
	}
	qsort(topology->package, topology->packages, sizeof(topology->package[0]),
	      compare_packages);
	return 0;
}

static int place_cpus(struct reading *reading)
{
	struct scaph_topology *topology = reading->topology;

	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX; cpu++) {
		uint32_t at;

		topology->package_of[cpu] = SCAPH_PACKAGE_NONE;
		if (!reading->online[cpu])
			continue;
		at = find_package(topology, reading->package_id[cpu], reading->die_id[cpu]);
		topology->package_of[cpu] = (uint16_t)at;
		topology->package[at].cpus++;
		topology->online++;
	}
	if (!topology->online) {
		scaph_error("%s/devices/system/cpu/online lists no CPU; say with --sysfs where "
			    "sysfs is",
			    reading->config->sysfs);
		return -ENODATA;
	}
	return 0;
}

static int read_all(struct reading *reading)
{
	int r = scaph_processor_read(reading->config, reading->topology);

	if (r == 0)
		r = read_online(reading);
	if (r == 0 && reading->config->topology)
		r = read_file(reading);
	else if (r == 0)
		r = read_cpus(reading);
	if (r == 0)
		r = collect_packages(reading);
	if (r == 0)
		r = place_cpus(reading);
	if (r == 0) {
		read_possible(reading);
		read_quiet(reading);
	}
	return r;
}

int scaph_topology_read(const struct scaph_config *config, struct scaph_topology *ret_topology)
{
	struct scaph_topology *topology = calloc(1, sizeof(*topology));
	struct reading *reading = calloc(1, sizeof(*reading));
	int r = -ENOMEM;

	if (topology && reading) {
		reading->config = config;
		reading->topology = topology;
		r = read_all(reading);
	}
	if (r == 0)
		*ret_topology = *topology;
	free(reading);
	free(topology);
	return r;
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
	int any = -1;

	for (uint32_t cpu = 0; cpu < topology->cpus; cpu++) {
		if (topology->package_of[cpu] != package)
			continue;
		if (!topology->quiet[cpu])
			return (int)cpu;
		if (any < 0)
			any = (int)cpu;
	}
	return any;
}

void scaph_topology_name(const struct scaph_topology *topology, uint32_t package,
			 char ret_name[SCAPH_PACKAGE_NAME_BYTES])
{
	bool per_die = scaph_topology_per_die(topology->vendor, topology->family, topology->model);
	uint32_t package_id = topology->package[package].package_id;

	if (per_die)
		snprintf(ret_name, SCAPH_PACKAGE_NAME_BYTES, "package %u die %u", package_id,
			 topology->package[package].die_id);
	else
		snprintf(ret_name, SCAPH_PACKAGE_NAME_BYTES, "package %u", package_id);
}
