/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stepping.c - a period, and a phase that is followed
 */
#include "producer/source/stepping.h"

#include <stdlib.h>

#define PERIOD_MIN_NS 100000U
#define PERIOD_MAX_NS 20000000U
#define PHASE_PART 4 /* of a step's distance goes into the phase */
#define BASE_MAX 256 /* periods: older ones are forgotten */
#define JITTERS 3 /* steps farther off than this many mean ones are not reckoned with */
#define JITTER_PART 16
#define LOST_PARTS 4 /* a step farther off than a period over this tells nothing */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median_interval_ns(const uint64_t at_ns[SCAPH_STEPPING_STEPS])
{
	uint64_t interval_ns[SCAPH_STEPPING_STEPS - 1];

	for (uint32_t i = 0; i + 1 < SCAPH_STEPPING_STEPS; i++)
		interval_ns[i] = at_ns[i + 1] - at_ns[i];
	qsort(interval_ns, SCAPH_STEPPING_STEPS - 1, sizeof(interval_ns[0]), compare);
	return interval_ns[(SCAPH_STEPPING_STEPS - 1) / 2];
}

bool scaph_stepping_learn(struct scaph_stepping *stepping,
			  const uint64_t at_ns[SCAPH_STEPPING_STEPS])
{
	uint64_t period_ns = median_interval_ns(at_ns), steps = 0, off_ns = 0;

	if (period_ns < PERIOD_MIN_NS || period_ns > PERIOD_MAX_NS)
		return false;
	/* Where whoever looked was away, several steps went by at once. */
	for (uint32_t i = 0; i + 1 < SCAPH_STEPPING_STEPS; i++) {
		uint64_t interval_ns = at_ns[i + 1] - at_ns[i];
		uint64_t whole = (interval_ns + period_ns / 2) / period_ns;

		steps += whole;
		off_ns += (uint64_t)llabs((long long)(interval_ns - whole * period_ns));
	}
	if (off_ns / (SCAPH_STEPPING_STEPS - 1) > period_ns / LOST_PARTS)
		return false;
	*stepping = (struct scaph_stepping){
		.period_ns = (at_ns[SCAPH_STEPPING_STEPS - 1] - at_ns[0]) / steps,
		.step_ns = at_ns[SCAPH_STEPPING_STEPS - 1],
		.jitter_ns = off_ns / (SCAPH_STEPPING_STEPS - 1),
		.base = (uint32_t)steps,
	};
	return true;
}

uint64_t scaph_stepping_nearest_ns(const struct scaph_stepping *stepping, uint64_t at_ns)
{
	uint64_t half_ns = stepping->period_ns / 2;

	if (at_ns < stepping->step_ns)
		return stepping->step_ns;
	return stepping->step_ns +
	       (at_ns - stepping->step_ns + half_ns) / stepping->period_ns * stepping->period_ns;
}

void scaph_stepping_saw(struct scaph_stepping *stepping, uint64_t at_ns)
{
	uint64_t reckoned_ns = scaph_stepping_nearest_ns(stepping, at_ns);
	int64_t off_ns = (int64_t)(at_ns - reckoned_ns), base = stepping->base;
	int64_t periods = (int64_t)((reckoned_ns - stepping->step_ns) / stepping->period_ns);
	int64_t away_ns = llabs(off_ns) - (int64_t)stepping->jitter_ns;

	if (llabs(off_ns) > (int64_t)stepping->period_ns / LOST_PARTS)
		return;
	/* Over more periods than were known of before, what it is off by is the period's error. */
	if (periods > base) {
		stepping->step_ns = at_ns;
	} else {
		stepping->step_ns = (uint64_t)((int64_t)reckoned_ns + off_ns / PHASE_PART);
		stepping->jitter_ns =
			(uint64_t)((int64_t)stepping->jitter_ns + away_ns / JITTER_PART);
	}
	periods = periods < BASE_MAX ? periods : BASE_MAX;
	stepping->period_ns = (uint64_t)((int64_t)stepping->period_ns +
					 off_ns * periods / (periods * periods + base * base));
	stepping->base = (uint32_t)(base + periods < BASE_MAX ? base + periods : BASE_MAX);
}

void scaph_stepping_doubt(struct scaph_stepping *stepping)
{
	stepping->base = (stepping->base + 1) / 2;
}

uint64_t scaph_stepping_doubt_ns(const struct scaph_stepping *stepping, uint64_t at_ns)
{
	uint64_t ahead_ns = at_ns > stepping->step_ns ? at_ns - stepping->step_ns : 0;
	uint64_t periods = ahead_ns / stepping->period_ns;

	return JITTERS * stepping->jitter_ns + stepping->jitter_ns * periods / stepping->base;
}
