/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exhibit.h - what is known of one domain, or of the host's totals: sums, power, state
 *
 * Sums are this program's own: differences of records that may be subtracted, over all epochs, from 0 at the first record it
 * saw. So they never step back while it runs, whatever becomes of scaphd. Built in the reading process, sent to the serving one
 * as bytes, and given to the next reading process to go on from; hence no pointers.
 */
#ifndef SCAPH_PROMETHEUS_EXHIBIT_H
#define SCAPH_PROMETHEUS_EXHIBIT_H

#include <stdbool.h>
#include <stdint.h>

#include "consumer/scaph.h"

/* Exposed as a number: documented in scaph(1), never renumbered. */
enum scaph_exhibit_state {
	SCAPH_EXHIBIT_LIVE = 0,
	SCAPH_EXHIBIT_UNPROVEN = 1, /* attached, nothing has moved yet */
	SCAPH_EXHIBIT_STALE = 2, /* records have stopped */
	SCAPH_EXHIBIT_RETIRED = 3, /* stopped in order: the domain or scaphd has ended */
	SCAPH_EXHIBIT_WITHHELD = 4, /* by the profile */
	SCAPH_EXHIBIT_UNREADABLE = 5, /* no longer a segment that can be read */
	SCAPH_EXHIBIT_NO_ENERGY =
		6, /* records come without energy: source or meter lost, or no price yet */
	SCAPH_EXHIBIT_SHARE_HANGS = 7, /* the reading process does not answer */
};

struct scaph_exhibit {
	struct scaph_info info;
	bool present; /* has a segment now; else kept for when it comes back */
	uint64_t gone_ns; /* since when not: CLOCK_MONOTONIC */
	int state; /* enum scaph_exhibit_state */
	char reason[256]; /* one clause; "" while live */

	bool has_last;
	struct scaph_record last; /* newest taken */
	bool has_base;
	struct scaph_record base; /* what the sums go on from: the newest that knew anything */
	uint64_t package_uj, core_uj, dram_uj, idle_uj, cpu_ns; /* sums */
	uint64_t lost;

	bool has_power;
	struct scaph_span power; /* over the last 10 s, or since reading began */

	bool has_bulletin;
	struct scaph_bulletin bulletin; /* newest taken */
	uint64_t uncore_uj, psys_uj, residual_uj, unattributed_uj, own_uj, own_cpu_ns; /* sums */
	uint64_t look_spent_ns;
};

#define SCAPH_TRAIL_POINTS 64U

/* Records of the last 10 s, some way apart, that may all be subtracted from one another. */
struct scaph_trail {
	struct scaph_record point[SCAPH_TRAIL_POINTS];
	uint32_t first;
	uint32_t count;
};

/* Take the next record of a subject: into the sums, the trail, and the power. */
void scaph_exhibit_record(struct scaph_exhibit *exhibit, struct scaph_trail *trail,
			  const struct scaph_record *record);

/* Take what the segment said last. */
void scaph_exhibit_bulletin(struct scaph_exhibit *exhibit, const struct scaph_bulletin *bulletin);

/* Whether @figure may be shown now: an enum scaph_record_flag. */
bool scaph_exhibit_shows(const struct scaph_exhibit *exhibit, uint32_t figure);

#endif
