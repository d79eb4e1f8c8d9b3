/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget.h - the CPU time that the daemon may use, and how far it lowers its sampling for that
 *
 * Every two seconds the daemon's own CPU time is compared with what it was given. Above it, sampling
 * goes down a step; with a quarter to spare for some time it comes back by one. A step back that did
 * not last makes the next one wait twice as long, so that two steps which are each too much and too
 * little are not changed between for ever. That it is exceeded all the same is said until it has been
 * kept for some time, with nothing to spare. Windows are not its business: they never change.
 *
 * Pure arithmetic; time is whoever calls. Publisher thread.
 */
#ifndef SCAPH_PRODUCER_BUDGET_H
#define SCAPH_PRODUCER_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* A step each is a quarter of the sampling; the last is none beyond what is needed. */
#define SCAPH_BUDGET_STEPS 3U

#define SCAPH_BUDGET_PPM_PER_PERCENT 10000U

struct scaph_budget {
	uint32_t given_ppm; /* of one core; 0: nothing is limited */
	uint32_t used_ppm; /* over the last whole span */
	bool measured; /* there was one */
	uint32_t step; /* sampling is lowered by; 0: not at all */
	bool over; /* there is nothing more to lower, and it is too much */

	uint64_t since_ns, cpu_ns; /* where this span began */
	uint32_t calm; /* spans in a row with room */
	uint32_t within; /* spans in a row that were not too much, since it was over */
	uint32_t patience; /* that a step back waits for */
	uint32_t lasted; /* spans since the last step back */
};

void scaph_budget_begin(struct scaph_budget *budget, uint32_t given_ppm, uint64_t now_ns,
			uint64_t cpu_ns);

/**
 * scaph_budget_note() - CPU time as it is now; about once a second
 * @cpu_ns:    of the whole daemon, cumulative
 * @can_lower: another step would lower something
 *
 * Return:   whether step or over has changed.
 */
bool scaph_budget_note(struct scaph_budget *budget, uint64_t now_ns, uint64_t cpu_ns,
		       bool can_lower);

#endif
