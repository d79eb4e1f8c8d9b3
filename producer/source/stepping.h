/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stepping.h - when an energy counter steps: period and phase, learnt from steps that were seen
 *
 * RAPL's counters move about once in a millisecond, with some jitter and no timestamp. Between two
 * steps a reading is old by up to a period; just after one it is of that moment. Pure arithmetic;
 * time is whoever calls.
 */
#ifndef SCAPH_PRODUCER_STEPPING_H
#define SCAPH_PRODUCER_STEPPING_H

#include <stdbool.h>
#include <stdint.h>

/* Steps that a period is first learnt from. */
#define SCAPH_STEPPING_STEPS 9U

struct scaph_stepping {
	uint64_t period_ns; /* 0: not known */
	uint64_t step_ns; /* where a step is reckoned to be */
	uint32_t base; /* periods that the period is a mean of */
	uint64_t jitter_ns; /* mean distance of steps from where they were reckoned */
};

/**
 * scaph_stepping_learn() - take the period from steps that followed one another
 * @at_ns: SCAPH_STEPPING_STEPS times, growing; some may be missed between them
 *
 * Return:   whether they have a period between 0.1 and 20 ms.
 */
bool scaph_stepping_learn(struct scaph_stepping *stepping,
			  const uint64_t at_ns[SCAPH_STEPPING_STEPS]);

/* The step reckoned nearest to a time. */
uint64_t scaph_stepping_nearest_ns(const struct scaph_stepping *stepping, uint64_t at_ns);

/* A step was not seen where it was reckoned: less is known than was thought. */
void scaph_stepping_doubt(struct scaph_stepping *stepping);

/* How far from where it is reckoned a step at about this time may be. */
uint64_t scaph_stepping_doubt_ns(const struct scaph_stepping *stepping, uint64_t at_ns);

/* A step was seen: phase and period follow it, slowly, for each has a jitter of its own. */
void scaph_stepping_saw(struct scaph_stepping *stepping, uint64_t at_ns);

#endif
