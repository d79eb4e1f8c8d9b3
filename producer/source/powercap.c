/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powercap.c - a walk through SYSFS/class/powercap
 */
#include "producer/source/powercap.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/machine/attribute.h"
#include "producer/source/rapl.h"

#define TYPE "intel-rapl"
#define ENTRIES_MAX 256U

struct entry {
	char leaf[32]; /* intel-rapl:0:1 */
	char name[48]; /* as the zone itself says: dram */
	char folder[PATH_MAX];
	int package; /* of the topology; -1: none that counts */
};

struct walk {
	const struct scaph_topology *topology;
	struct scaph_powercap_package *packages;
	struct entry *entry;
	uint32_t count;
	char *why;
};

static bool is_zone(const char *leaf)
{
	return strncmp(leaf, TYPE ":", strlen(TYPE ":")) == 0;
}

static struct entry *find_entry(struct walk *walk, const char *leaf)
{
	for (uint32_t i = 0; i < walk->count; i++) {
		if (strcmp(walk->entry[i].leaf, leaf) == 0)
			return &walk->entry[i];
	}
	return NULL;
}

static int add_entry(struct walk *walk, const char *folder, const char *leaf)
{
	struct entry *entry = &walk->entry[walk->count];
	char path[PATH_MAX + 8];
	int r;

	if (walk->count == ENTRIES_MAX || strlen(leaf) >= sizeof(entry->leaf) ||
	    strlen(folder) + strlen(leaf) + 32 > PATH_MAX) {
		snprintf(walk->why, SCAPH_SOURCE_WHY_BYTES, "%.160s has more zones than RAPL makes",
			 folder);
		return -E2BIG;
	}
	*entry = (struct entry){ .package = -1 };
	strcpy(entry->leaf, leaf);
	snprintf(entry->folder, sizeof(entry->folder), "%s/%s", folder, leaf);
	snprintf(path, sizeof(path), "%s/name", entry->folder);
	r = scaph_attribute_read(path, entry->name, sizeof(entry->name));
	if (r) {
		snprintf(walk->why, SCAPH_SOURCE_WHY_BYTES, "%.160s: %s", path, strerror(-r));
		return r;
	}
	walk->count++;
	return 0;
}

/* Each zone once, wherever it is met first; below it there may be more of them. */
static int walk_folder(struct walk *walk, const char *folder, int depth)
{
	DIR *dir = opendir(folder);
	struct dirent *item;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (item = readdir(dir))) {
		char below[PATH_MAX];
		bool type = strcmp(item->d_name, TYPE) == 0;

		if ((!type && !is_zone(item->d_name)) || depth == 0)
			continue;
		if (!type && !find_entry(walk, item->d_name))
			r = add_entry(walk, folder, item->d_name);
		if (r == 0 && snprintf(below, sizeof(below), "%s/%s", folder, item->d_name) <
				      (int)sizeof(below))
			r = walk_folder(walk, below, depth - 1);
	}
	closedir(dir);
	return r;
}

/* "package-1" or "package-1-die-0" */
static bool parse_package(const char *name, uint32_t *ret_package, uint32_t *ret_die,
			  bool *ret_has_die)
{
	int end = 0;

	*ret_die = 0;
	*ret_has_die = sscanf(name, "package-%u-die-%u%n", ret_package, ret_die, &end) == 2 &&
		       !name[end];
	if (*ret_has_die)
		return true;
	return sscanf(name, "package-%u%n", ret_package, &end) == 1 && !name[end];
}

static int find_package(const struct scaph_topology *topology, uint32_t package, uint32_t die)
{
	for (uint32_t i = 0; i < topology->packages; i++) {
		if (topology->package[i].package_id == package &&
		    topology->package[i].die_id == die)
			return (int)i;
	}
	return -1;
}

static int place_package(struct walk *walk, struct entry *entry)
{
	bool intel = scaph_rapl_core_is_package(walk->topology->vendor), has_die;
	uint32_t package, die;
	char *folder;
	int at;

	if (!parse_package(entry->name, &package, &die, &has_die))
		return 0;
	/* AMD counts by package; where a kernel lists dies, each shows the package's energy. */
	at = find_package(walk->topology, package, intel ? die : 0);
	if (at < 0) {
		snprintf(walk->why, SCAPH_SOURCE_WHY_BYTES,
			 "half a topology: zone %s (%s) belongs to no package with an online CPU",
			 entry->name, entry->leaf);
		return -ENODATA;
	}
	folder = walk->packages[at].folder[SCAPH_ZONE_AT_PACKAGE];
	if (*folder && !intel && has_die)
		return 0;
	if (*folder) {
		snprintf(walk->why, SCAPH_SOURCE_WHY_BYTES, "two zones are named %s", entry->name);
		return -EEXIST;
	}
	strcpy(folder, entry->folder);
	entry->package = at;
	return 0;
}

/* A zone within a package's, or psys, which is of the machine and kept with the first package. */
static int place_zone(struct walk *walk, const struct entry *entry)
{
	int zone = scaph_source_zone_of(entry->name), at = 0;
	char parent[sizeof(entry->leaf)];
	const struct entry *above;
	char *folder;

	if (zone <= SCAPH_ZONE_AT_PACKAGE)
		return 0;
	if (zone != SCAPH_ZONE_AT_PSYS) {
		snprintf(parent, sizeof(parent), "%.*s",
			 (int)(strrchr(entry->leaf, ':') - entry->leaf), entry->leaf);
		above = find_entry(walk, parent);
		at = above ? above->package : -1;
	}
	/* AMD's zone "core" is one core's. */
	if (at < 0 ||
	    (zone == SCAPH_ZONE_AT_CORE && !scaph_rapl_core_is_package(walk->topology->vendor)))
		return 0;
	folder = walk->packages[at].folder[zone];
	if (*folder) {
		snprintf(walk->why, SCAPH_SOURCE_WHY_BYTES, "two zones %s are of one package (%s)",
			 entry->name, entry->leaf);
		return -EEXIST;
	}
	strcpy(folder, entry->folder);
	return 0;
}

static int place_entries(struct walk *walk)
{
	char name[SCAPH_PACKAGE_NAME_BYTES];
	int r = 0;

	for (uint32_t i = 0; i < walk->count && r == 0; i++)
		r = place_package(walk, &walk->entry[i]);
	for (uint32_t i = 0; i < walk->count && r == 0; i++)
		r = place_zone(walk, &walk->entry[i]);
	for (uint32_t i = 0; i < walk->topology->packages && r == 0; i++) {
		if (*walk->packages[i].folder[SCAPH_ZONE_AT_PACKAGE])
			continue;
		scaph_topology_name(walk->topology, i, name);
		snprintf(walk->why, SCAPH_SOURCE_WHY_BYTES,
			 "half a topology: no zone is named for %s", name);
		r = -ENODATA;
	}
	return r;
}

int scaph_powercap_find(const struct scaph_config *config, const struct scaph_topology *topology,
			struct scaph_powercap_package *ret_packages,
			char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct walk walk = { .topology = topology, .packages = ret_packages, .why = ret_why };
	char root[PATH_MAX];
	int r;

	snprintf(root, sizeof(root), "%s/class/powercap", config->sysfs);
	walk.entry = calloc(ENTRIES_MAX, sizeof(*walk.entry));
	if (!walk.entry) {
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "out of memory");
		return -ENOMEM;
	}
	ret_why[0] = '\0';
	r = walk_folder(&walk, root, 4);
	if (r == 0 && !walk.count)
		r = -ENOENT;
	if (r && !ret_why[0])
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "%.120s/" TYPE ":*: %s: modprobe intel_rapl_msr (or intel_rapl_tpmi) "
			 "makes the zones",
			 root, strerror(-r));
	if (r == 0)
		r = place_entries(&walk);
	free(walk.entry);
	return r;
}
