/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline.h - where the host's times lie on this machine's CLOCK_MONOTONIC
 *
 * A record's time is the host's, since the epoch's origin; own = host + offset. The offset is unknown, and nothing can be asked
 * of the host: what is known are two inequalities, each of something that was really seen.
 *
 *   upper: whatever carries a time of the host was published after that time. Seen at own time a, with host time M:
 *          M + offset <= a.
 *   lower: the writer reads its clock for a window's end and for the status after the record before was stored (proto/SPEC.md, 7).
 *          A look that began at own time b and did not find that record was before: b < T + offset, for every such T.
 *
 * So the offset lies between the greatest lower and the least upper bound, whatever delays there were. Both clocks may drift apart
 * by SCAPH_DRIFT_PPM: a bound loosens by that with its distance in time, either way. Bounds that contradict each other say that
 * one of the clocks stood still (a paused, restored guest): then all is forgotten, and times before are not to be mapped.
 *
 * Pure arithmetic; no byte of a segment is trusted: times that cannot be are passed over. Owner: one reader, one thread.
 */
#ifndef SCAPH_CONSUMER_TIMELINE_H
#define SCAPH_CONSUMER_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#define SCAPH_DRIFT_PPM 100U
#define SCAPH_TIMELINE_LOOKS 4U

struct scaph_timeline_bound {
	bool known;
	int64_t offset_ns;
	uint64_t at_ns; /* own time of what it was learnt from */
};

struct scaph_timeline {
	uint64_t epoch_id; /* 0: none yet */
	struct scaph_timeline_bound upper, lower;
	bool exact; /* the segment says its origin, and nothing contradicts it */
	int64_t origin_ns;
	uint64_t valid_from_ns; /* earlier times of our own clock are of before it stood still */
	/* Looks in vain: the last ones, each for another record. */
	struct {
		uint64_t number;
		uint64_t at_ns;
	} missed[SCAPH_TIMELINE_LOOKS];
	uint32_t misses;
	uint64_t told_ns; /* host time of the last status; 0: none yet */
	uint64_t asked_ns; /* own time of the last look at it */
};

/* The host's times that an own time may be. */
struct scaph_timeline_range {
	int64_t first_ns, last_ns;
};

/* A new epoch, another origin. @origin_ns: CLOCK_MONOTONIC of it if the segment says so, else 0. */
void scaph_timeline_begin(struct scaph_timeline *timeline, uint64_t epoch_id, uint64_t origin_ns);

/* Something that carries the host's time was there at our own time @at_ns, read after it was seen. */
void scaph_timeline_saw(struct scaph_timeline *timeline, uint64_t host_ns, uint64_t at_ns);

/* The record of this number was not there in a look that began at @at_ns. */
void scaph_timeline_missed(struct scaph_timeline *timeline, uint64_t number, uint64_t at_ns);

/* The host's clock was @host_ns at a moment when the record of this number was there. */
void scaph_timeline_passed(struct scaph_timeline *timeline, uint64_t number, uint64_t host_ns);

/* The newest record that was looked for in vain; false: none. */
bool scaph_timeline_missing(const struct scaph_timeline *timeline, uint64_t *ret_number);

/* Uncertainty of the offset at an own time; UINT64_MAX: it is not known from both sides yet. */
uint64_t scaph_timeline_width_ns(const struct scaph_timeline *timeline, uint64_t own_ns);

/* Which times of the host an own time may be; only while the width is known. */
struct scaph_timeline_range scaph_timeline_host(const struct scaph_timeline *timeline,
						uint64_t own_ns);

/* When something of this host time can be seen at the latest estimate, as own time; only with an upper bound or an origin. */
uint64_t scaph_timeline_own(const struct scaph_timeline *timeline, uint64_t host_ns,
			    uint64_t now_ns);

#endif
