/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_powercap.c - the kernel's RAPL zones in sysfs
 *
 * Descriptors are opened at the start, for energy_uj has been root's alone since Linux 5.10, and
 * read in place. If all CPUs of a package go offline the kernel takes its zones away for good: the
 * package cannot be read until the daemon is started again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "producer/machine/attribute.h"
#include "producer/source/msr.h"
#include "producer/source/powercap.h"
#include "producer/config/quantity.h"
#include "producer/source/supported.h"

struct powercap {
	struct scaph_source source;
	int fd[SCAPH_PACKAGES_MAX][SCAPH_ZONES]; /* -1: none */
};

static int read_energy(int fd, uint64_t *ret_energy_uj)
{
	char text[32];
	ssize_t count = pread(fd, text, sizeof(text) - 1, 0);

	if (count < 0)
		return -errno;
	text[count] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return scaph_quantity_number(text, ret_energy_uj) ? -EIO : 0;
}

static int powercap_read(struct scaph_source *source, uint32_t package, uint64_t now_ns,
			 uint64_t raw[SCAPH_ZONES])
{
	const struct powercap *powercap = (const struct powercap *)source;

	(void)now_ns;
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		int r;

		if (!(source->package[package].zones & 1U << zone))
			continue;
		r = read_energy(powercap->fd[package][zone], &raw[zone]);
		if (r)
			return r;
	}
	return 0;
}

static int powercap_peek(struct scaph_source *source, uint32_t package, uint64_t *ret_raw)
{
	return read_energy(((struct powercap *)source)->fd[package][SCAPH_ZONE_AT_PACKAGE],
			   ret_raw);
}

static int refuse(const char *path, int r, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	const char *mend = r == -EACCES || r == -EPERM ? ": start scaphd as root"
			   : r == -EMFILE ? ": allow more open files (LimitNOFILE=, ulimit -n)"
					  : "";

	snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%.160s: %s%s", path,
		 r == -EINVAL ? "no number above 0" : strerror(-r), mend);
	return r;
}

/* A zone whose counter cannot be read is left out, unless it is the package's. */
static int open_zone(struct powercap *powercap, uint32_t at, int zone, const char *folder,
		     char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct scaph_source_package *package = &powercap->source.package[at];
	char path[PATH_MAX + 32];
	uint64_t range_uj, energy_uj;
	int r, fd;

	snprintf(path, sizeof(path), "%s/max_energy_range_uj", folder);
	r = scaph_attribute_number(path, &range_uj);
	if (r == 0 && !range_uj)
		r = -EINVAL;
	if (r)
		return refuse(path, r, ret_why);
	snprintf(path, sizeof(path), "%s/energy_uj", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refuse(path, -errno, ret_why);
	powercap->fd[at][zone] = fd;
	r = read_energy(fd, &energy_uj);
	if (r && zone == SCAPH_ZONE_AT_PACKAGE)
		return refuse(path, r, ret_why);
	if (r)
		return 0;
	package->zones |= 1U << zone;
	package->counter[zone] = (struct scaph_source_counter){
		.step_units = SCAPH_UNITS_PER_UJ,
		.range = range_uj,
	};
	return 0;
}

static int open_zones(struct powercap *powercap, const struct scaph_config *config,
		      const struct scaph_topology *topology, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct scaph_powercap_package *packages = calloc(SCAPH_PACKAGES_MAX, sizeof(*packages));
	int r;

	if (!packages)
		return -ENOMEM;
	r = scaph_powercap_find(config, topology, packages, ret_why);
	for (uint32_t i = 0; i < topology->packages && r == 0; i++) {
		for (int zone = 0; zone < SCAPH_ZONES && r == 0; zone++) {
			if (*packages[i].folder[zone])
				r = open_zone(powercap, i, zone, packages[i].folder[zone], ret_why);
		}
	}
	free(packages);
	return r;
}

static void powercap_close(struct scaph_source *source)
{
	struct powercap *powercap = (struct powercap *)source;

	for (uint32_t i = 0; i < SCAPH_PACKAGES_MAX; i++) {
		for (int zone = 0; zone < SCAPH_ZONES; zone++) {
			if (powercap->fd[i][zone] >= 0)
				close(powercap->fd[i][zone]);
		}
	}
	free(powercap);
}

static int powercap_open(const struct scaph_config *config, const struct scaph_topology *topology,
			 const char *argument, struct scaph_source **ret_source,
			 char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct powercap *powercap;
	int r;

	snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%s",
		 argument ? "nothing may stand behind powercap" : "out of memory");
	if (argument)
		return -EINVAL;
	powercap = calloc(1, sizeof(*powercap));
	if (!powercap)
		return -ENOMEM;
	memset(powercap->fd, -1, sizeof(powercap->fd));
	powercap->source.ops = &scaph_source_powercap;
	powercap->source.packages = topology->packages;
	r = open_zones(powercap, config, topology, ret_why);
	if (r == 0)
		r = scaph_supported_check(&powercap->source, topology, ret_why);
	if (r) {
		powercap_close(&powercap->source);
		return r;
	}
	powercap->source.filtered = scaph_msr_filtered(config, topology);
	*ret_source = &powercap->source;
	return 0;
}

const struct scaph_source_ops scaph_source_powercap = {
	.name = "powercap",
	.id = SCAPH_SOURCE_POWERCAP,
	.usage = "--source powercap (the kernel's RAPL zones in sysfs, needs root)",
	.open = powercap_open,
	.read = powercap_read,
	.peek = powercap_peek,
	.close = powercap_close,
};
