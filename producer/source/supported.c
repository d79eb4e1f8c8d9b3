/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supported.c - watching counters for 100 ms
 */
#include "producer/source/supported.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "producer/process/clock.h"
#include "producer/source/rapl.h"

#define WATCH_NS (100 * SCAPH_NS_PER_MS)
#define LOOK_NS SCAPH_NS_PER_MS

struct watch {
	struct scaph_source *source;
	uint64_t first[SCAPH_PACKAGES_MAX][SCAPH_ZONES];
	uint32_t moved[SCAPH_PACKAGES_MAX]; /* enum scaph_zone_bit */
};

/* One reading of every package. @begin: it is what others are compared with. */
static int look(struct watch *watch, bool begin, uint32_t *ret_package)
{
	struct scaph_source *source = watch->source;

	for (uint32_t i = 0; i < source->packages; i++) {
		uint64_t raw[SCAPH_ZONES] = {};
		int r = source->ops->read(source, i, scaph_clock_ns(CLOCK_MONOTONIC), raw);

		if (r < 0) {
			*ret_package = i;
			return r;
		}
		if (begin)
			memcpy(watch->first[i], raw, sizeof(raw));
		for (int zone = 0; zone < SCAPH_ZONES; zone++) {
			if (source->package[i].zones & 1U << zone &&
			    raw[zone] != watch->first[i][zone])
				watch->moved[i] |= 1U << zone;
		}
	}
	return 0;
}

static bool all_moved(const struct watch *watch)
{
	for (uint32_t i = 0; i < watch->source->packages; i++) {
		if (watch->moved[i] != watch->source->package[i].zones)
			return false;
	}
	return true;
}

static int watch_counters(struct watch *watch, uint32_t *ret_package)
{
	uint64_t begin_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	int r = look(watch, true, ret_package);

	for (uint64_t at_ns = begin_ns; r == 0 && !all_moved(watch) && at_ns < begin_ns + WATCH_NS;
	     at_ns = scaph_clock_ns(CLOCK_MONOTONIC)) {
		scaph_clock_sleep_until(at_ns + LOOK_NS);
		r = look(watch, false, ret_package);
	}
	return r;
}

static void refuse(const char *name, uint64_t value, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	if (value)
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "the counter of %s stands still at %" PRIu64
			 " for 100 ms: it measures nothing here",
			 name, value);
	else
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "the counter of %s reads 0 for 100 ms, as in a virtual machine: start "
			 "scaphd on the host itself",
			 name);
}

/* What moved is kept; a package zone that did not is the end of it, or core where there is none. */
static int keep_moved(struct watch *watch, const struct scaph_topology *topology,
		      uint32_t *ret_left_out, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct scaph_source *source = watch->source;
	char name[SCAPH_PACKAGE_NAME_BYTES];

	for (uint32_t i = 0; i < source->packages; i++) {
		uint32_t still = source->package[i].zones & ~watch->moved[i];
		int needed = source->package[i].zones & SCAPH_ZONE_PACKAGE ? SCAPH_ZONE_AT_PACKAGE
									   : SCAPH_ZONE_AT_CORE;

		if (still & 1U << needed) {
			scaph_topology_name(topology, i, name);
			refuse(name, watch->first[i][needed], ret_why);
			return -ENODATA;
		}
		*ret_left_out |= still;
		source->package[i].zones = watch->moved[i];
	}
	return 0;
}

/* Zones that every package has, and package 0's psys. */
static void settle_zones(struct scaph_source *source)
{
	uint32_t packages = source->packages;

	source->zones = UINT32_MAX;
	source->wrap_ns = 0;
	for (uint32_t i = 0; i < packages; i++) {
		struct scaph_source_package *package = &source->package[i];

		source->zones &= package->zones | SCAPH_ZONE_PSYS;
		for (int zone = 0; zone < SCAPH_ZONES; zone++) {
			uint64_t wrap_ns = package->zones & 1U << zone
						   ? scaph_rapl_wrap_ns(zone, packages,
									&package->counter[zone])
						   : 0;

			package->counter[zone].wrap_ns = wrap_ns;
			if (wrap_ns && (!source->wrap_ns || wrap_ns < source->wrap_ns))
				source->wrap_ns = wrap_ns;
		}
	}
	source->zones &= ~(uint32_t)SCAPH_ZONE_PSYS | source->package[0].zones;
}

/* "2 packages (core, uncore: not counting)" */
static void describe(struct scaph_source *source, uint32_t left_out)
{
	const char *before = " (";
	size_t used;

	snprintf(source->about, sizeof(source->about), "%u package%s", source->packages,
		 source->packages == 1 ? "" : "s");
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		if (!(left_out & ~source->zones & 1U << zone))
			continue;
		used = strlen(source->about);
		snprintf(source->about + used, sizeof(source->about) - used, "%s%s", before,
			 scaph_source_zone_word(zone));
		before = ", ";
	}
	used = strlen(source->about);
	if (left_out & ~source->zones)
		snprintf(source->about + used, sizeof(source->about) - used, ": not counting)");
}

int scaph_supported_check(struct scaph_source *source, const struct scaph_topology *topology,
			  char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct watch watch = { .source = source };
	char name[SCAPH_PACKAGE_NAME_BYTES];
	uint32_t package, left_out = 0;
	int r = watch_counters(&watch, &package);

	if (r) {
		scaph_topology_name(topology, package, name);
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "the counters of %s cannot be read: %s",
			 name, strerror(-r));
		return r;
	}
	r = keep_moved(&watch, topology, &left_out, ret_why);
	if (r)
		return r;
	settle_zones(source);
	describe(source, left_out);
	return 0;
}
