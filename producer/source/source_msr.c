/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_msr.c - RAPL's energy registers, read through the msr driver
 *
 * Counters are the package's, so any of its CPUs will do: if the one that is read goes offline, the
 * next takes over and the baseline stays. A descriptor for each CPU is opened at the start, since
 * the privilege that this needs is given away; CPUs outside isolated and nohz_full sets come first,
 * for a read wakes the CPU it goes through.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "producer/source/msr.h"
#include "producer/source/rapl.h"
#include "producer/source/supported.h"

struct msr_package {
	int *fd; /* of its CPUs, in the order they are preferred */
	uint32_t cpus;
	uint32_t at; /* the one that was read last */
};

struct msr {
	struct scaph_source source;
	struct scaph_rapl rapl;
	struct msr_package package[SCAPH_PACKAGES_MAX];
	bool counted; /* all zones were seen to */
};

static int msr_read_register(struct msr_package *package, uint32_t msr, uint64_t *ret_value)
{
	int r = -ENXIO;

	for (uint32_t tried = 0; tried < package->cpus; tried++) {
		uint32_t at = (package->at + tried) % package->cpus;

		r = scaph_msr_read(package->fd[at], msr, ret_value);
		if (r == 0) {
			package->at = at;
			return 0;
		}
	}
	return r;
}

static int msr_read(struct scaph_source *source, uint32_t package, uint64_t now_ns,
		    uint64_t raw[SCAPH_ZONES])
{
	struct msr *msr = (struct msr *)source;

	(void)now_ns;
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		uint64_t value;
		int r;

		if (!(source->package[package].zones & 1U << zone))
			continue;
		r = msr_read_register(&msr->package[package], msr->rapl.msr[zone], &value);
		if (r)
			return r;
		raw[zone] = value & SCAPH_RAPL_RANGE;
		/* What has counted and is 0 is no counter's value, but a register that is gone. */
		if (!raw[zone] && msr->counted)
			return -EIO;
	}
	return 0;
}

static int msr_peek(struct scaph_source *source, uint32_t package, uint64_t *ret_raw)
{
	struct msr *msr = (struct msr *)source;

	int r = msr_read_register(&msr->package[package], msr->rapl.msr[SCAPH_ZONE_AT_PACKAGE],
				  ret_raw);

	if (r == 0)
		*ret_raw &= SCAPH_RAPL_RANGE;
	return r;
}

/* One CPU of a package. A failure counts only if every CPU of it fails. */
static int open_cpu(const struct scaph_config *config, uint32_t cpu, struct msr_package *package,
		    char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	int fd = scaph_msr_open(config, cpu);

	if (fd >= 0) {
		package->fd[package->cpus++] = fd;
		return 0;
	}
	/* The first failure is the one that is told. */
	if (!*ret_why)
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%.80s/%u/msr: %s: %s", config->msr_path,
			 cpu, strerror(-fd), scaph_msr_mend(fd));
	return fd;
}

static int open_package(const struct scaph_config *config, const struct scaph_topology *topology,
			uint32_t at, struct msr_package *package,
			char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	int r = 0, failed;

	*ret_why = '\0';
	package->fd = calloc(topology->package[at].cpus, sizeof(*package->fd));
	if (!package->fd) {
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "out of memory");
		return -ENOMEM;
	}
	for (int quiet = 0; quiet < 2; quiet++) {
		for (uint32_t cpu = 0; cpu < topology->cpus; cpu++) {
			if (topology->package_of[cpu] != at || topology->quiet[cpu] != quiet)
				continue;
			failed = open_cpu(config, cpu, package, ret_why);
			r = r ? r : failed;
		}
	}
	return package->cpus ? 0 : r ? r : -ENODEV;
}

static int open_packages(struct msr *msr, const struct scaph_config *config,
			 const struct scaph_topology *topology,
			 char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	int r = 0;

	for (uint32_t i = 0; i < topology->packages && r == 0; i++)
		r = open_package(config, topology, i, &msr->package[i], ret_why);
	return r;
}

/* Units and readable zones of one package. */
static int probe_package(struct msr *msr, const struct scaph_topology *topology, uint32_t at,
			 char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct scaph_source_package *package = &msr->source.package[at];
	uint64_t unit_value, value;
	char name[SCAPH_PACKAGE_NAME_BYTES];
	int r = msr_read_register(&msr->package[at], msr->rapl.unit_msr, &unit_value);

	scaph_topology_name(topology, at, name);
	if (r) {
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "the unit register 0x%x of %s cannot be read: %s; a virtual machine has "
			 "none: start scaphd on the host itself",
			 msr->rapl.unit_msr, name, strerror(-r));
		return r;
	}
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		if (!(msr->rapl.zones & 1U << zone) || (zone == SCAPH_ZONE_AT_PSYS && at))
			continue;
		package->counter[zone] = (struct scaph_source_counter){
			.step_units = scaph_rapl_step_units(&msr->rapl, zone, unit_value),
			.range = SCAPH_RAPL_RANGE,
		};
		if (!package->counter[zone].step_units) {
			snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
				 "the unit register 0x%x of %s tells no unit, as in a virtual "
				 "machine: start scaphd on the host itself",
				 msr->rapl.unit_msr, name);
			return -ENODATA;
		}
		r = msr_read_register(&msr->package[at], msr->rapl.msr[zone], &value);
		if (r == 0)
			package->zones |= 1U << zone;
		else if (zone == SCAPH_ZONE_AT_PACKAGE) {
			snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
				 "the energy register 0x%x of %s cannot be read: %s; a virtual "
				 "machine has none: start scaphd on the host itself",
				 msr->rapl.msr[zone], name, strerror(-r));
			return r;
		}
	}
	return 0;
}

static void msr_close(struct scaph_source *source)
{
	struct msr *msr = (struct msr *)source;

	for (uint32_t i = 0; i < SCAPH_PACKAGES_MAX; i++) {
		for (uint32_t j = 0; j < msr->package[i].cpus; j++)
			close(msr->package[i].fd[j]);
		free(msr->package[i].fd);
	}
	free(msr);
}

static int msr_open(const struct scaph_config *config, const struct scaph_topology *topology,
		    const char *argument, struct scaph_source **ret_source,
		    char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct scaph_rapl rapl;
	const char *unknown;
	struct msr *msr;
	int r;

	snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%s",
		 argument ? "nothing may stand behind msr" : "out of memory");
	if (argument)
		return -EINVAL;
	r = scaph_rapl_find(topology->vendor, topology->family, topology->model, &rapl, &unknown);
	if (r) {
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%s", unknown);
		return r;
	}
	msr = calloc(1, sizeof(*msr));
	if (!msr)
		return -ENOMEM; /* as ret_why says */
	msr->rapl = rapl;
	msr->source.ops = &scaph_source_msr;
	msr->source.packages = topology->packages;
	r = open_packages(msr, config, topology, ret_why);
	for (uint32_t i = 0; i < topology->packages && r == 0; i++)
		r = probe_package(msr, topology, i, ret_why);
	if (r == 0)
		r = scaph_supported_check(&msr->source, topology, ret_why);
	if (r) {
		msr_close(&msr->source);
		return r;
	}
	msr->counted = true;
	msr->source.filtered = scaph_msr_filtered(config, topology);
	*ret_source = &msr->source;
	return 0;
}

const struct scaph_source_ops scaph_source_msr = {
	.name = "msr",
	.id = SCAPH_SOURCE_MSR,
	.usage = "--source msr (registers, needs root and modprobe msr)",
	.open = msr_open,
	.read = msr_read,
	.peek = msr_peek,
	.close = msr_close,
};
