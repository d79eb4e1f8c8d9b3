/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stall.h - for how long nothing new was seen, and how sure that is
 *
 * A machine that stood still (a paused guest, a debugger, a loaded host) wakes with a clock far on,
 * and the reader may well run before the writer. So silence must be long AND have been looked at
 * twice, some time apart, with no long gap before: the first look after a gap only begins to doubt.
 */
#ifndef SCAPH_SHM_STALL_H
#define SCAPH_SHM_STALL_H

#include <stdbool.h>
#include <stdint.h>

#define SCAPH_STALL_DOUBT_DIVISOR 4 /* of the limit: the least time between the two looks */
#define SCAPH_STALL_GAP_DIVISOR 2 /* of the limit: what is a gap between two looks */

struct scaph_stall {
	uint64_t progress_ns;
	uint64_t missed_ns; /* of the look in vain since then that began the doubt ... */
	uint64_t looked_ns; /* ... and of the last one */
	bool missed;
};

/* now - then, 0 if a caller's clock stepped back. */
static inline uint64_t scaph_since_ns(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static inline void scaph_stall_progress(struct scaph_stall *stall, uint64_t now_ns)
{
	stall->progress_ns = now_ns;
	stall->missed = false;
}

static inline void scaph_stall_miss(struct scaph_stall *stall, uint64_t now_ns, uint64_t limit_ns)
{
	uint64_t gap_ns = scaph_since_ns(now_ns, stall->looked_ns);
	bool doubted_late = scaph_since_ns(stall->missed_ns, stall->progress_ns) >= limit_ns;

	if (!stall->missed || (gap_ns > limit_ns / SCAPH_STALL_GAP_DIVISOR && !doubted_late))
		stall->missed_ns = now_ns;
	stall->looked_ns = now_ns;
	stall->missed = true;
}

static inline bool scaph_stall_long(const struct scaph_stall *stall, uint64_t now_ns,
				    uint64_t limit_ns)
{
	return scaph_since_ns(now_ns, stall->progress_ns) >= limit_ns;
}

static inline bool scaph_stall_sure(const struct scaph_stall *stall, uint64_t now_ns,
				    uint64_t limit_ns)
{
	return scaph_stall_long(stall, now_ns, limit_ns) && stall->missed &&
	       scaph_since_ns(now_ns, stall->missed_ns) >= limit_ns / SCAPH_STALL_DOUBT_DIVISOR;
}

#endif
