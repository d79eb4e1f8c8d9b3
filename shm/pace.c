/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pace.c - prediction of the next record
 */
#include "shm/pace.h"

#define AWAY_MAX_NS 1000000000ULL
#define EARLY_MAX_NS 50000000ULL
#define STEP_MIN_NS 100000ULL
#define SLACK_NS                                                                                   \
	20000 /* a look a little late finds the record; one too early costs a second look */
#define DRIFT_DIVISOR 16384 /* 60 ppm: two clocks may drift apart, so the least delay grows old */

void scaph_pace_reset(struct scaph_pace *pace)
{
	*pace = (struct scaph_pace){};
}

void scaph_pace_saw(struct scaph_pace *pace, uint64_t now_ns, uint64_t mono_ns, uint64_t window_ns)
{
	int64_t delay_ns = (int64_t)(now_ns - mono_ns);
	int64_t aged_ns = pace->least_delay_ns + (int64_t)(window_ns / DRIFT_DIVISOR);

	pace->least_delay_ns = pace->known && aged_ns < delay_ns ? aged_ns : delay_ns;
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
	uint64_t expected_ns =
		pace->mono_ns + window_ns + (uint64_t)pace->least_delay_ns + SLACK_NS;
	uint64_t away_ns = EARLY_MAX_NS;

	if (pace->known && (int64_t)(expected_ns - now_ns) > 0) {
		away_ns = expected_ns - now_ns;
	} else if (pace->known) {
		away_ns = within((window_ns / 16) << (pace->early < 16 ? pace->early : 16),
				 STEP_MIN_NS, EARLY_MAX_NS);
		pace->early++;
	}
	return now_ns +
	       within(away_ns, batch_ns > STEP_MIN_NS ? batch_ns : STEP_MIN_NS, AWAY_MAX_NS);
}
