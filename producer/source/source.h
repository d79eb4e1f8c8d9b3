/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - where energy is read from: a small table of functions, one file a source
 *
 * A source gives raw counters of each package; the sampler makes them cumulative energy. One
 * package is read under its sampler's lock, by one thread at a time; different packages may be
 * read by different threads at once. A read must not allocate or log there.
 */
#ifndef SCAPH_PRODUCER_SOURCE_H
#define SCAPH_PRODUCER_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/config/config.h"
#include "producer/account/energy.h"
#include "producer/machine/topology.h"
#include "proto/layout.h"

#define SCAPH_SOURCE_WHY_BYTES 256U

enum scaph_source_result {
	SCAPH_SOURCE_ENDED = 1, /* the values given are the last there will be */
	SCAPH_SOURCE_GAP =
		2, /* they do not go on from the last ones: what was between is not known */
};

struct scaph_source;

struct scaph_source_ops {
	const char *name;
	uint32_t id; /* enum scaph_source_id */
	const char *usage; /* how to ask for it */
	/*
	 * @topology: of this machine, outlives the source. @argument: what stood behind the colon,
	 * or NULL. @ret_why: why it cannot be had, one clause that names what mends it.
	 * 0 or a negative errno with @ret_why set.
	 */
	int (*open)(const struct scaph_config *config, const struct scaph_topology *topology,
		    const char *argument, struct scaph_source **ret_source,
		    char ret_why[SCAPH_SOURCE_WHY_BYTES]);
	/*
	 * Every counter of one package as of now_ns (CLOCK_MONOTONIC, never going back).
	 * 0, SCAPH_SOURCE_ENDED or _GAP (the counters are set too), or a negative errno: not readable
	 * now.
	 */
	int (*read)(struct scaph_source *source, uint32_t package, uint64_t now_ns,
		    uint64_t raw[SCAPH_ZONES]);
	/*
	 * The package zone's counter alone, as it is now; NULL: it does not step as hardware's does, and
	 * nobody waits for that. 0 or a negative errno.
	 */
	int (*peek)(struct scaph_source *source, uint32_t package, uint64_t *ret_raw);
	void (*close)(struct scaph_source *source);
};

/* One counter. */
struct scaph_source_counter {
	uint64_t step_units; /* energy of one count */
	uint64_t range; /* greatest value before 0; 0: 2^64 - 1 */
	uint64_t wrap_ns; /* the shortest time in which it can wrap; 0: as the source's */
};

/* One package (a die where those have counters of their own). */
struct scaph_source_package {
	uint32_t zones; /* enum scaph_zone_bit */
	struct scaph_source_counter counter[SCAPH_ZONES];
};

/* What every source begins with. */
struct scaph_source {
	const struct scaph_source_ops *ops;
	uint32_t zones; /* that every package has; psys is package 0's alone and counts once */
	bool estimated;
	bool filtered; /* the processor blurs short-term values */
	bool idle_known;
	uint64_t idle_uw; /* of all packages together */
	uint32_t packages; /* those of the topology, in its order; 1 for model and old traces */
	struct scaph_source_package package[SCAPH_PACKAGES_MAX];
	uint64_t wrap_ns; /* the shortest time in which one of them can wrap; 0: none does */
	uint64_t window_ns; /* its counters move once in that time; 0: all the time */
	uint32_t sample_hz; /* how often it wants to be read; 0: at the windows' ends is enough */
	char about[128]; /* one clause for people */
	char others[832]; /* why this source and no other; set by scaph_source_open() */
};

extern const struct scaph_source_ops scaph_source_msr;
extern const struct scaph_source_ops scaph_source_perf;
extern const struct scaph_source_ops scaph_source_powercap;
extern const struct scaph_source_ops scaph_source_model;
extern const struct scaph_source_ops scaph_source_replay;
extern const struct scaph_source_ops scaph_source_ring;
extern const struct scaph_source_ops scaph_source_resctrl;

/*
 * Open the source the configuration names, or with "auto" the first that measures. 0, or a negative
 * errno after one line.
 */
int scaph_source_open(const struct scaph_config *config, const struct scaph_topology *topology,
		      struct scaph_source **ret_source);

/* Whether it measures packages; else there is nothing of them to be published, split or priced. */
static inline bool scaph_source_has_package(const struct scaph_source *source)
{
	return source->zones & SCAPH_ZONE_PACKAGE;
}

/* One line: what was taken, and why not the others. */
void scaph_source_say(const struct scaph_source *source);

/* The word of a zone, and the zone of a word: -1 if there is none. */
const char *scaph_source_zone_word(int zone);
int scaph_source_zone_of(const char *word);

#endif
