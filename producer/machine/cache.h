/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.h - the L3 caches that resctrl counts memory traffic of, and the package of each
 */
#ifndef SCAPH_PRODUCER_CACHE_H
#define SCAPH_PRODUCER_CACHE_H

#include <stdint.h>

#include "producer/machine/topology.h"

#define SCAPH_CACHES_MAX 512U
#define SCAPH_CACHE_WHY_BYTES 256U

struct scaph_cache {
	uint32_t id; /* as sysfs and resctrl number it */
	uint32_t package; /* of the topology */
};

/**
 * scaph_cache_list() - L3 caches of the CPUs that are online
 * @ret_caches: SCAPH_CACHES_MAX of them; written on failure too
 * @ret_why:    set on failure: one clause
 *
 * Return:   0, or a negative errno: a CPU tells of none, or one is of two packages.
 */
int scaph_cache_list(const struct scaph_config *config, const struct scaph_topology *topology,
		     struct scaph_cache *ret_caches, uint32_t *ret_count,
		     char ret_why[SCAPH_CACHE_WHY_BYTES]);

#endif
