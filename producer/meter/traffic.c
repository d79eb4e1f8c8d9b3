/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traffic.c - mbm_total_bytes of every group, from look to look
 *
 * A control group's counter contains its monitoring groups': its own part is what is left of it. The
 * files are read one after the other, so that parts may come to a little more than the whole: then
 * their sum is the whole.
 */
#include "producer/meter/traffic.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/config/quantity.h"
#include "producer/machine/attribute.h"
#include "producer/machine/cache.h"
#include "producer/machine/resctrl.h"
#include "producer/meter/membership.h"

/* What a look found. */
struct look {
	struct scaph_resctrl_group *group;
	uint32_t count;
	pid_t *owner; /* by group: of its domain; 0: none */
	uint64_t *bytes; /* by group and package */
};

struct scaph_traffic {
	const struct scaph_config *config;
	const struct scaph_topology *topology;
	struct scaph_cache cache[SCAPH_CACHES_MAX];
	uint32_t caches; /* 0: not looked for yet */
	struct look last; /* count 0: there is none to subtract from */
};

struct scaph_traffic *scaph_traffic_new(const struct scaph_config *config,
					const struct scaph_topology *topology)
{
	struct scaph_traffic *traffic = calloc(1, sizeof(*traffic));

	if (!traffic)
		return NULL;
	traffic->config = config;
	traffic->topology = topology;
	return traffic;
}

static void clear(struct look *look)
{
	free(look->group);
	free(look->owner);
	free(look->bytes);
	*look = (struct look){};
}

void scaph_traffic_free(struct scaph_traffic *traffic)
{
	if (traffic)
		clear(&traffic->last);
	free(traffic);
}

/* One cache's counter of one group. */
static int read_counter(const struct scaph_resctrl_group *group, uint32_t cache,
			uint64_t *ret_bytes, char ret_why[SCAPH_TRAFFIC_WHY_BYTES])
{
	char path[SCAPH_RESCTRL_FOLDER_BYTES + 64], text[32];
	int r;

	snprintf(path, sizeof(path), "%s/mon_data/mon_L3_%02u/mbm_total_bytes", group->folder,
		 cache);
	r = scaph_attribute_read(path, text, sizeof(text));
	if (r) {
		snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES, "%.220s: %s", path, strerror(-r));
		return r;
	}
	/* The kernel has words for what it cannot tell: Unavailable, Unassigned, Error. */
	if (scaph_quantity_number(text, ret_bytes)) {
		for (char *at = text; *at; at++) {
			if (*at < ' ' || *at > '~')
				*at = '?';
		}
		snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES, "%.220s says %s", path, text);
		return -ENODATA;
	}
	return 0;
}

static int read_counters(const struct scaph_traffic *traffic, struct look *look,
			 char ret_why[SCAPH_TRAFFIC_WHY_BYTES])
{
	for (uint32_t i = 0; i < look->count; i++) {
		for (uint32_t c = 0; c < traffic->caches; c++) {
			uint64_t bytes;
			int r = read_counter(&look->group[i], traffic->cache[c].id, &bytes,
					     ret_why);

			if (r)
				return r;
			look->bytes[i * SCAPH_PACKAGES_MAX + traffic->cache[c].package] += bytes;
		}
	}
	return 0;
}

static int read_groups(struct scaph_traffic *traffic, struct look *look, uint32_t parts,
		       char ret_why[SCAPH_TRAFFIC_WHY_BYTES])
{
	char why[SCAPH_RESCTRL_WHY_BYTES] = "";
	int r = scaph_resctrl_list(traffic->config->resctrl, &look->group, &look->count, why);

	if (r == 0 && !traffic->caches)
		r = scaph_cache_list(traffic->config, traffic->topology, traffic->cache,
				     &traffic->caches, why);
	snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES, "%s", *why ? why : "out of memory");
	if (r)
		return r;
	/* Before anything that costs more. */
	if (look->count - 1 < parts) {
		snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES,
			 "%.120s has %u groups beside its own for %u domains",
			 traffic->config->resctrl, look->count - 1, parts);
		return -ENODATA;
	}
	look->owner = calloc(look->count, sizeof(*look->owner));
	look->bytes = calloc(look->count, SCAPH_PACKAGES_MAX * sizeof(*look->bytes));
	return look->owner && look->bytes ? 0 : -ENOMEM;
}

static int find_owners(const struct scaph_traffic *traffic, struct look *look, int32_t *part_of,
		       const struct scaph_traffic_part *parts, uint32_t count,
		       char ret_why[SCAPH_TRAFFIC_WHY_BYTES])
{
	int r = scaph_membership_find(traffic->config->procfs, look->group, look->count, parts,
				      count, part_of, ret_why);

	for (uint32_t i = 0; i < look->count && r == 0; i++)
		look->owner[i] = part_of[i] < 0 ? 0 : parts[part_of[i]].pid;
	return r;
}

/* The same groups of the same domains as before, and no counter that went back. */
static bool continues(const struct look *last, const struct look *look)
{
	if (last->count != look->count)
		return false;
	for (uint32_t i = 0; i < look->count; i++) {
		if (!scaph_resctrl_same(&last->group[i], &look->group[i]) ||
		    last->group[i].control != look->group[i].control ||
		    last->owner[i] != look->owner[i])
			return false;
		for (uint32_t p = 0; p < SCAPH_PACKAGES_MAX; p++) {
			if (look->bytes[i * SCAPH_PACKAGES_MAX + p] <
			    last->bytes[i * SCAPH_PACKAGES_MAX + p])
				return false;
		}
	}
	return true;
}

static uint64_t moved(const struct look *last, const struct look *look, uint32_t group,
		      uint32_t package)
{
	uint32_t at = group * SCAPH_PACKAGES_MAX + package;

	return look->bytes[at] - last->bytes[at];
}

/* A group's own, without that of the groups in it. */
static uint64_t own_moved(const struct look *last, const struct look *look, uint32_t group,
			  uint32_t package)
{
	uint64_t own = moved(last, look, group, package), below = 0;

	for (uint32_t i = 0; i < look->count && look->group[group].control == group; i++) {
		if (i != group && look->group[i].control == group)
			below += moved(last, look, i, package);
	}
	return own > below ? own - below : 0;
}

static void deal_out(const struct look *last, const struct look *look, const int32_t *part_of,
		     uint32_t packages, struct scaph_traffic_part *parts, uint32_t count,
		     uint64_t whole[SCAPH_PACKAGES_MAX])
{
	for (uint32_t i = 0; i < count; i++)
		memset(parts[i].bytes, 0, sizeof(parts[i].bytes));
	memset(whole, 0, SCAPH_PACKAGES_MAX * sizeof(*whole));
	for (uint32_t p = 0; p < packages; p++) {
		uint64_t sum = 0;

		for (uint32_t i = 0; i < look->count; i++) {
			if (look->group[i].control == i)
				whole[p] += moved(last, look, i, p);
			if (part_of[i] >= 0)
				parts[part_of[i]].bytes[p] += own_moved(last, look, i, p);
		}
		for (uint32_t i = 0; i < count; i++)
			sum += parts[i].bytes[p];
		whole[p] = whole[p] > sum ? whole[p] : sum;
	}
}

static int compare(struct scaph_traffic *traffic, const struct look *look, const int32_t *part_of,
		   struct scaph_traffic_part *parts, uint32_t count,
		   uint64_t ret_whole[SCAPH_PACKAGES_MAX], char ret_why[SCAPH_TRAFFIC_WHY_BYTES])
{
	uint64_t whole[SCAPH_PACKAGES_MAX];

	snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES,
		 "groups or domains are not what they were a "
		 "second ago");
	if (!continues(&traffic->last, look))
		return SCAPH_TRAFFIC_SOON;
	deal_out(&traffic->last, look, part_of, traffic->topology->packages, parts, count, whole);
	for (uint32_t p = 0; p < traffic->topology->packages; p++) {
		if (whole[p])
			continue;
		snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES, "no memory traffic at all is counted");
		return SCAPH_TRAFFIC_NONE;
	}
	memcpy(ret_whole, whole, sizeof(whole));
	return 0;
}

int scaph_traffic_look(struct scaph_traffic *traffic, struct scaph_traffic_part *parts,
		       uint32_t count, uint64_t ret_whole[SCAPH_PACKAGES_MAX],
		       char ret_why[SCAPH_TRAFFIC_WHY_BYTES])
{
	struct look look = {};
	int32_t *part_of = NULL;
	int r = read_groups(traffic, &look, count, ret_why);

	if (r == 0)
		part_of = calloc(look.count, sizeof(*part_of));
	if (r == 0 && !part_of)
		r = -ENOMEM;
	if (r == 0)
		r = find_owners(traffic, &look, part_of, parts, count, ret_why);
	if (r == 0)
		r = read_counters(traffic, &look, ret_why);
	if (r == 0)
		r = compare(traffic, &look, part_of, parts, count, ret_whole, ret_why);
	free(part_of);
	clear(&traffic->last);
	if (r >= 0)
		traffic->last = look;
	else
		clear(&look);
	return r < 0 ? SCAPH_TRAFFIC_NONE : r;
}
