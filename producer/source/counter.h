/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter.h - a wrapping energy counter as energy that never wraps
 *
 * Invariant: energy_units only grows. A counter read often enough moves by less than a quarter of its
 * range between two readings (the source says how often that is), so a step above half of it is no
 * consumption but a reset: the counter is taken up anew where it stands, and nothing is added. That
 * alone finds a reset from the lower half of the range; who knows how far a counter can have come
 * says so in most.
 */
#ifndef SCAPH_PRODUCER_COUNTER_H
#define SCAPH_PRODUCER_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

enum scaph_counter_step {
	SCAPH_COUNTER_RESET = 1, /* the counter began anew; what it lost is not known */
};

struct scaph_counter {
	uint64_t step_units; /* energy of one count */
	uint64_t range; /* largest value before it starts again at 0; 0: 2^64 - 1 */
	uint64_t most; /* a longer step is a reset too; 0: not known */
	bool primed; /* raw is a reading to subtract from */
	uint64_t raw;
	unsigned __int128 energy_units;
};

/**
 * scaph_counter_advance() - add what a counter moved since its last reading
 * @counter: zero but for step_units and range before the first reading, which adds nothing
 * @raw:     the reading
 *
 * Return:   0 or SCAPH_COUNTER_RESET.
 */
int scaph_counter_advance(struct scaph_counter *counter, uint64_t raw);

/**
 * scaph_counter_most() - how far a counter can have come
 * @range:   of it, not 0
 * @wrap_ns: the shortest time in which it can wrap, at a power that is kept up for a second
 * @dt_ns:   since its last reading
 *
 * A second more than that is granted: readings are late at times, and power has peaks.
 *
 * Return:   at least 1, at most the range.
 */
uint64_t scaph_counter_most(uint64_t range, uint64_t wrap_ns, uint64_t dt_ns);

#endif
