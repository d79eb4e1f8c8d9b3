/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lazy_clock.h - CLOCK_MONOTONIC for a caller that asks every few nanoseconds
 *
 * A reading costs several times what reading a record does. So one that was made may serve again, for calls that follow each
 * other within a microsecond and find the same: always nothing, always a record, always the same one, as seen between two
 * readings. 64 calls at most, and never once the machine's coarse second has changed. Whoever reads a batch and sleeps finds
 * first records and then nothing, and gets a reading each time. So a reading that is given again is old by some 64 us while the pace
 * lasts, and by a second at the very most when it does not: whoever spins on nothing and then sleeps may be told of a
 * silence a second late; nobody of one that was none.
 *
 * Owner: one reader, one thread.
 */
#ifndef SCAPH_CONSUMER_LAZY_CLOCK_H
#define SCAPH_CONSUMER_LAZY_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define SCAPH_LAZY_AGE_MAX_NS 1000000000ULL

/* What a call found. */
enum scaph_found {
	SCAPH_FOUND_NOTHING = 1,
	SCAPH_FOUND_RECORD,
	SCAPH_FOUND_SAME,
};

struct scaph_lazy_clock {
	uint64_t now_ns; /* the last reading */
	time_t second; /* coarse, of the wall clock, at the last reading: compared for equality only */
	uint32_t left; /* calls that may still do without a reading */
	uint32_t granted; /* what left was at the last reading */
	enum scaph_found found; /* by the last call */
	bool mixed; /* calls since the last reading did not all find the same */
	bool asked; /* a call of the program's began since the last reading: two in one say nothing of its pace */
};

/* A reading. */
uint64_t scaph_lazy_clock_read(struct scaph_lazy_clock *clock);

/* A call of the program's begins. */
static inline void scaph_lazy_clock_asked(struct scaph_lazy_clock *clock)
{
	clock->asked = true;
}

/* What a call finds: before it asks for the time if it is not in a hurry, else after. */
static inline void scaph_lazy_clock_found(struct scaph_lazy_clock *clock, enum scaph_found found)
{
	if (clock->found == found)
		return;
	clock->found = found;
	clock->mixed = true;
	clock->left = 0;
}

/* Whether the last reading will do for one more call. time() is a load; a reading is sixteen times that. */
static inline bool scaph_lazy_clock_serves(struct scaph_lazy_clock *clock)
{
	if (!clock->left || time(NULL) != clock->second)
		return false;
	clock->left--;
	return true;
}

#endif
