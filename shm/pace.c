/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pace.c - prediction of the next record
 *
 * The record's time comes from outside: all sums with it are modulo 2^64, and whatever they give is
 * bounded before it is used.
 */
#include "shm/pace.h"

#define AWAY_MAX_NS 1000000000ULL
#define EARLY_MAX_NS 50000000ULL
#define STEP_MIN_NS 100000ULL
#define STEP_DIVISOR 256 /* of the window: the first step after a look that came too early */
#define SLACK_NS 20000 /* a look a little late finds the record; one too early costs a second one */
#define DRIFT_DIVISOR 16384 /* 60 ppm: two clocks may drift apart, so the least delay grows old */

void scaph_pace_reset(struct scaph_pace *pace)
{
	*pace = (struct scaph_pace){};
}

void scaph_pace_saw(struct scaph_pace *pace, uint64_t now_ns, uint64_t mono_ns, uint64_t window_ns)
{
	uint64_t delay_ns = now_ns - mono_ns;
	uint64_t aged_ns = pace->least_delay_ns + window_ns / DRIFT_DIVISOR;

	if (!pace->known || (int64_t)(delay_ns - aged_ns) < 0)
		pace->least_delay_ns = delay_ns;
	else
		pace->least_delay_ns = aged_ns;
	pace->mono_ns = mono_ns;
	pace->known = true;
	pace->early = 0;
}

static uint64_t within(uint64_t value, uint64_t least, uint64_t most)
{
	return value < least ? least : value > most ? most : value;
}

uint64_t scaph_pace_due_ns(struct scaph_pace *pace, uint64_t now_ns, uint64_t window_ns,
			   uint64_t batch_ns)
{
	uint64_t expected_ns = pace->mono_ns + window_ns + pace->least_delay_ns + SLACK_NS;
	uint64_t away_ns = EARLY_MAX_NS;

	if (pace->known && (int64_t)(expected_ns - now_ns) > 0) {
		away_ns = expected_ns - now_ns;
	} else if (pace->known) {
		uint32_t doublings = pace->early < 16 ? pace->early : 16;

		away_ns =
			within((window_ns / STEP_DIVISOR) << doublings, STEP_MIN_NS, EARLY_MAX_NS);
		pace->early = doublings + 1;
	}
	return now_ns + within(away_ns, within(batch_ns, STEP_MIN_NS, AWAY_MAX_NS), AWAY_MAX_NS);
}
