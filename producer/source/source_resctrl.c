/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_resctrl.c - core energy of each package, as Linux 7 tells it by groups of resctrl
 *
 * mon_data/mon_PERF_PKG_NN/core_energy is in joules with a fraction. It is what cores used while they
 * executed: not the package's energy, which has caches, memory controller and idle power in it too. So
 * this source has the zone core and no other, and no package figure is ever made of it.
 *
 * The sum over all control groups is all there is, for each contains its monitoring groups. Groups
 * come and go: then what was between is not known, and the sum goes on from what the groups of now
 * say. Only in that case does a read allocate.
 *
 * Source: Documentation/filesystems/resctrl.rst, "mon_data"; the kernel shows six decimals of a fraction
 * of 18 bits, so a microjoule is half of what is lost.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "producer/machine/resctrl.h"
#include "producer/process/clock.h"
#include "producer/source/joules.h"
#include "producer/source/supported.h"

#define STEP_NS (2 * SCAPH_NS_PER_MS) /* in which telemetry is brought up to date */
#define CONTROLS_MAX 256U
#define PREFIX "mon_PERF_PKG_"

struct part {
	int fd;
	uint64_t last_uj;
};

struct resctrl_package {
	struct part part[CONTROLS_MAX];
	uint32_t parts;
	nlink_t links; /* of the root, when the groups were listed; 0: they have to be listed */
	uint64_t sum_uj;
};

struct resctrl {
	struct scaph_source source;
	const char *root;
	int root_fd;
	const struct scaph_topology *topology;
	struct resctrl_package package[SCAPH_PACKAGES_MAX];
};

/* A file's value: 0, or a negative errno; -ENODATA: the kernel has a word instead. */
static int read_part(int fd, uint64_t *ret_energy_uj)
{
	char text[64];
	ssize_t count = pread(fd, text, sizeof(text) - 1, 0);

	if (count < 0)
		return -errno;
	text[count] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return scaph_joules_parse(text, ret_energy_uj) ? -ENODATA : 0;
}

static void close_parts(struct resctrl_package *package)
{
	for (uint32_t i = 0; i < package->parts; i++)
		close(package->part[i].fd);
	package->parts = 0;
}

static int open_part(struct resctrl *resctrl, uint32_t at, const char *folder,
		     char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct resctrl_package *package = &resctrl->package[at];
	char path[SCAPH_RESCTRL_FOLDER_BYTES + 64];
	struct part part;
	int r;

	snprintf(path, sizeof(path), "%s/mon_data/" PREFIX "%02u/core_energy", folder,
		 resctrl->topology->package[at].package_id);
	part.fd = package->parts < CONTROLS_MAX ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (part.fd < 0) {
		r = package->parts < CONTROLS_MAX ? -errno : -E2BIG;
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%.140s: %s%s", path, strerror(-r),
			 r == -ENOENT ? ": this needs Linux 7 and a processor with energy telemetry"
				      : "");
		return r;
	}
	r = read_part(part.fd, &part.last_uj);
	if (r) {
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%.140s: %s", path,
			 r == -ENODATA ? "no number of joules" : strerror(-r));
		close(part.fd);
		return r;
	}
	package->part[package->parts++] = part;
	return 0;
}

/* All control groups as they are now; their numbers are what is subtracted from. */
static int list_parts(struct resctrl *resctrl, uint32_t at, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct resctrl_package *package = &resctrl->package[at];
	struct scaph_resctrl_group *groups;
	uint32_t count;
	struct stat st;
	int r;

	close_parts(package);
	package->links = 0;
	/* Before the list: what comes meanwhile is seen by the next read. */
	if (fstat(resctrl->root_fd, &st) < 0)
		return -errno;
	r = scaph_resctrl_list(resctrl->root, &groups, &count, ret_why);
	if (r)
		return r;
	for (uint32_t i = 0; i < count && r == 0; i++) {
		if (groups[i].control == i)
			r = open_part(resctrl, at, groups[i].folder, ret_why);
	}
	free(groups);
	if (r)
		close_parts(package);
	else
		package->links = st.st_nlink;
	return r;
}

/* What every group has used since the last read. -ENODEV: one is gone, or began anew. */
static int advance(struct resctrl_package *package)
{
	uint64_t now_uj[CONTROLS_MAX], moved_uj = 0;

	for (uint32_t i = 0; i < package->parts; i++) {
		int r = read_part(package->part[i].fd, &now_uj[i]);

		if (r)
			return r;
		if (now_uj[i] < package->part[i].last_uj)
			return -ENODEV;
		moved_uj += now_uj[i] - package->part[i].last_uj;
	}
	for (uint32_t i = 0; i < package->parts; i++)
		package->part[i].last_uj = now_uj[i];
	package->sum_uj += moved_uj;
	return 0;
}

static int resctrl_read(struct scaph_source *source, uint32_t at, uint64_t now_ns,
			uint64_t raw[SCAPH_ZONES])
{
	struct resctrl *resctrl = (struct resctrl *)source;
	struct resctrl_package *package = &resctrl->package[at];
	char why[SCAPH_SOURCE_WHY_BYTES];
	struct stat st;
	int r = 0;

	(void)now_ns;
	/* A folder more or less is a link more or less. */
	if (fstat(resctrl->root_fd, &st) < 0)
		return -errno;
	if (st.st_nlink == package->links)
		r = advance(package);
	if (st.st_nlink != package->links || r == -ENODEV) {
		r = list_parts(resctrl, at, why);
		if (r)
			return r;
		r = SCAPH_SOURCE_GAP;
	}
	if (r >= 0)
		raw[SCAPH_ZONE_AT_CORE] = package->sum_uj;
	return r;
}

/* Packages that the kernel counts and the topology does not have: energy would go to nobody. */
static int check_packages(const struct resctrl *resctrl, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	const struct scaph_topology *topology = resctrl->topology;
	char path[SCAPH_RESCTRL_FOLDER_BYTES];
	struct dirent *item;
	int r = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/mon_data", resctrl->root);
	dir = opendir(path);
	while (dir && r == 0 && (item = readdir(dir))) {
		unsigned long id;
		uint32_t at = 0;

		if (strncmp(item->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		id = strtoul(item->d_name + strlen(PREFIX), NULL, 10);
		while (at < topology->packages && topology->package[at].package_id != id)
			at++;
		if (at < topology->packages)
			continue;
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "half a topology: %.140s/%.32s belongs to no package with an online CPU",
			 path, item->d_name);
		r = -ENODATA;
	}
	if (dir)
		closedir(dir);
	return r;
}

static void resctrl_close(struct scaph_source *source)
{
	struct resctrl *resctrl = (struct resctrl *)source;

	for (uint32_t i = 0; i < SCAPH_PACKAGES_MAX; i++)
		close_parts(&resctrl->package[i]);
	if (resctrl->root_fd >= 0)
		close(resctrl->root_fd);
	free(resctrl);
}

static int open_packages(struct resctrl *resctrl, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	int r = check_packages(resctrl, ret_why);

	for (uint32_t i = 0; i < resctrl->source.packages && r == 0; i++) {
		r = list_parts(resctrl, i, ret_why);
		resctrl->source.package[i].zones = SCAPH_ZONE_CORE;
		resctrl->source.package[i].counter[SCAPH_ZONE_AT_CORE].step_units =
			SCAPH_UNITS_PER_UJ;
	}
	return r ? r : scaph_supported_check(&resctrl->source, resctrl->topology, ret_why);
}

static int resctrl_open(const struct scaph_config *config, const struct scaph_topology *topology,
			const char *argument, struct scaph_source **ret_source,
			char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct resctrl *resctrl;
	size_t used;
	int r;

	snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%s",
		 argument ? "nothing may stand behind resctrl; --resctrl DIR says where it is"
			  : "out of memory");
	if (argument)
		return -EINVAL;
	resctrl = calloc(1, sizeof(*resctrl));
	if (!resctrl)
		return -ENOMEM;
	resctrl->source.ops = &scaph_source_resctrl;
	resctrl->source.packages = topology->packages;
	resctrl->source.window_ns = STEP_NS;
	resctrl->topology = topology;
	resctrl->root = config->resctrl;
	resctrl->root_fd = open(config->resctrl, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = resctrl->root_fd < 0 ? -errno : 0;
	if (r)
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "%.140s: %s; mount resctrl there, or say with --resctrl where it is",
			 config->resctrl, strerror(-r));
	else
		r = open_packages(resctrl, ret_why);
	if (r) {
		resctrl_close(&resctrl->source);
		return r;
	}
	used = strlen(resctrl->source.about);
	snprintf(resctrl->source.about + used, sizeof(resctrl->source.about) - used,
		 ", energy of cores while they execute and not the packages'");
	*ret_source = &resctrl->source;
	return 0;
}

const struct scaph_source_ops scaph_source_resctrl = {
	.name = "resctrl",
	.id = SCAPH_SOURCE_RESCTRL,
	.usage = "--source resctrl (core energy alone, Linux 7)",
	.open = resctrl_open,
	.read = resctrl_read,
	.close = resctrl_close,
};
