/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.c - SYSFS/devices/system/cpu/cpuN/cache/indexK
 */
#include "producer/machine/cache.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "producer/machine/attribute.h"

#define INDICES 10U
#define LEVEL 3U

/* The id of a CPU's L3 cache: 0, or a negative errno. */
static int find_id(const struct scaph_config *config, uint32_t cpu, uint32_t *ret_id)
{
	for (uint32_t index = 0; index < INDICES; index++) {
		char path[PATH_MAX];
		uint64_t level, id;
		size_t base = (size_t)snprintf(path, sizeof(path),
					       "%s/devices/system/cpu/cpu%u/cache/index%u/",
					       config->sysfs, cpu, index);
		int r;

		if (base + 8 > sizeof(path))
			return -ENAMETOOLONG;
		strcpy(path + base, "level");
		if (scaph_attribute_number(path, &level) || level != LEVEL)
			continue;
		strcpy(path + base, "id");
		r = scaph_attribute_number(path, &id);
		if (r)
			return r;
		if (id > UINT32_MAX)
			return -ERANGE;
		*ret_id = (uint32_t)id;
		return 0;
	}
	return -ENOENT;
}

int scaph_cache_list(const struct scaph_config *config, const struct scaph_topology *topology,
		     struct scaph_cache *ret_caches, uint32_t *ret_count,
		     char ret_why[SCAPH_CACHE_WHY_BYTES])
{
	uint32_t count = 0, id, at;

	for (uint32_t cpu = 0; cpu < topology->cpus; cpu++) {
		uint16_t package = topology->package_of[cpu];
		int r;

		if (package == SCAPH_PACKAGE_NONE)
			continue;
		r = find_id(config, cpu, &id);
		if (r) {
			snprintf(ret_why, SCAPH_CACHE_WHY_BYTES, "the L3 cache of CPU %u: %s", cpu,
				 strerror(-r));
			return r;
		}
		for (at = 0; at < count && ret_caches[at].id != id; at++)
			;
		if (at == SCAPH_CACHES_MAX) {
			snprintf(ret_why, SCAPH_CACHE_WHY_BYTES, "more than %u L3 caches", at);
			return -E2BIG;
		}
		if (at == count)
			ret_caches[count++] = (struct scaph_cache){ .id = id, .package = package };
		if (ret_caches[at].package != package) {
			snprintf(ret_why, SCAPH_CACHE_WHY_BYTES, "L3 cache %u is of two packages",
				 id);
			return -ENODATA;
		}
	}
	*ret_count = count;
	return 0;
}
