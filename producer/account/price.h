/* SPDX-License-Identifier: Apache-2.0 */
/*
 * price.h - the held price: what a nanosecond of CPU time costs every shared domain
 *
 * Exact energy over a CPU time that a tenant knows is the host's power trace (PLATYPUS,
 * CVE-2020-8694). So a shared domain is told its own CPU time times a price that all shared domains
 * of a package have in common, and that changes once a minute at most: between two changes its
 * records say nothing but what it did itself.
 *
 * The price is the shared domains' exact dynamic energy over their CPU time, in whole windows of the
 * last two periods, plus what is left of the float (exact less priced energy) spread over as much
 * CPU time, never more than twice or less than half of it. It lies on a grid of 2 % steps, and moves by
 * at most 31 of them: so whatever neighbours do, one of 63 things is told a minute, which is 0.0996
 * bit/s at the most. Two periods and not more, because a price that follows late is wrong for longer.
 * A host's first prices come at 10, 20, 40 and 80 s, for they rest on little. Idle energy is told as vCPUs over host CPUs of an idle power that is held, and on the grid, too.
 *
 * Pure arithmetic in units of 2^-32 microjoule; time is whoever calls.
 */
#ifndef SCAPH_PRODUCER_PRICE_H
#define SCAPH_PRODUCER_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/account/tally.h"

#define SCAPH_PRICE_PERIOD_NS UINT64_C(60000000000)
#define SCAPH_PRICE_FIRST_NS UINT64_C(10000000000) /* the first price needs this long ... */
#define SCAPH_PRICE_FIRST_CPU_NS UINT64_C(1000000000) /* ... and this much CPU time */
#define SCAPH_PRICE_PERIODS 2U
#define SCAPH_PRICE_STEPS_MAX 31 /* that it moves in a period */

/* Exact dynamic energy of a package's shared domains, and their CPU time on it. */
struct scaph_price_sum {
	unsigned __int128 units;
	uint64_t cpu_ns;
};

struct scaph_pricing {
	uint32_t packages;
	uint64_t idle_uw; /* as it is known now; 0: not */
	uint64_t age_ns; /* since prices were begun with, on a host that had none */
	uint64_t elapsed_ns; /* of the period */
	uint32_t period; /* which of the sums is being filled */
	struct scaph_price_sum sum[SCAPH_PRICE_PERIODS][SCAPH_PACKAGES_MAX];
};

/* What a shared domain used in a window on one package. */
void scaph_price_note(struct scaph_pricing *pricing, uint32_t package,
		      unsigned __int128 dynamic_units, uint64_t cpu_ns);

/**
 * scaph_price_tick() - a window has closed; at a period's end set the prices anew
 * @dt_ns: its length
 * @tally: prices, held idle power and floats of the host; the floats of all are exact less priced
 *
 * A package nobody used keeps its price; all have one as soon as one has.
 */
void scaph_price_tick(struct scaph_pricing *pricing, uint64_t dt_ns,
		      struct scaph_host_tally *tally);

/* Nobody is charged for what the float is now. */
void scaph_price_forgive(const struct scaph_pricing *pricing, struct scaph_host_tally *tally);

/* The value of the grid nearest to one; 0 stays 0. */
uint64_t scaph_price_round(uint64_t value);

#endif
