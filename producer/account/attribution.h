/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attribution.h - dividing one window's energy among domains, in integers
 *
 * Pure arithmetic, no I/O. Energy moves in units of 2^-32 microjoule, so that the remainders of a
 * division are far below what is ever published and nothing has to be handed round.
 *
 *   x = E - P_idle * dt + debt;  x < 0: debt = x, D = 0;  else debt = 0, D = x;  I = E - D
 *   per domain: dynamic += D * t / B;  idle += I * w / S
 *
 * For each package, zone and window: E its energy, B its busy time, t the domain's on it, both of one
 * sweep of one meter; w the domain's weight and S the seats there are. By vCPUs w is their number and
 * S the greater of all their sum and the host's CPUs; equally, w is 1 and S the domains. With no idle
 * power known D = E and I = 0. With B = 0 nobody gets D: it stays with the host, as do the seats that
 * no domain has. Where memory traffic is known dram's B and t are bytes of it instead.
 */
#ifndef SCAPH_PRODUCER_ATTRIBUTION_H
#define SCAPH_PRODUCER_ATTRIBUTION_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "producer/account/energy.h"

/* What a zone's energy is split with; zero at the start of an epoch. */
struct scaph_splitter {
	bool idle_known;
	uint64_t idle_uw; /* of the whole machine ... */
	uint32_t packages; /* ... and how many share it equally */
	__int128 debt_units; /* never positive */
	uint64_t idle_remainder; /* of idle_uw x ns / 10^9 / packages, carried */
};

/* One window of one zone. */
struct scaph_portion {
	unsigned __int128 dynamic_units;
	unsigned __int128 idle_units;
};

/* A domain's cumulative account in one zone. */
struct scaph_account {
	unsigned __int128 total_units; /* dynamic and idle together */
	unsigned __int128 idle_units;
};

/* What all domains of a package and window share. */
struct scaph_basis {
	uint64_t busy_ns; /* at least the sum of the domains'; or bytes of traffic, as theirs are then */
	uint32_t seats; /* at least the sum of the weights; 0: nobody is given idle energy */
};

/* Energy over so many equal parts: what each gets, and what is left of the division. */
struct scaph_rate {
	unsigned __int128 quotient;
	uint64_t rest, whole; /* whole 0: nobody is given anything */
};

/* Of one window of one zone. */
struct scaph_rates {
	struct scaph_rate dynamic; /* by ns of CPU time */
	struct scaph_rate idle; /* by seat */
};

/**
 * scaph_attribution_split() - divide a window's energy into dynamic and idle
 * @splitter:     carries debt and remainder
 * @energy_units: measured in the window
 * @dt_ns:        its length
 *
 * dynamic + idle is exactly the energy.
 */
struct scaph_portion scaph_attribution_split(struct scaph_splitter *splitter,
					     unsigned __int128 energy_units, uint64_t dt_ns);

/* A window's energy by the nanosecond and by the seat: below 2^96 units each, or it does not fit. */
struct scaph_rates scaph_attribution_rates(const struct scaph_portion *portion,
					   const struct scaph_basis *basis);

/* units * part / whole, rounded down, without a division for whom nothing is due to. */
static inline unsigned __int128 scaph_rate_part(const struct scaph_rate *rate, uint64_t part)
{
	if (!part || !rate->whole)
		return 0;
	assert(part <= rate->whole);
	return rate->quotient * part + (unsigned __int128)rate->rest * part / rate->whole;
}

/**
 * scaph_attribution_credit() - add a domain's part of a window to its account
 * @account: of this domain and zone
 * @rates:   of this zone and window
 * @cpu_ns:  the domain's CPU time in the window on this package, at most the busy time
 * @weight:  the domain's
 *
 * Each domain's part depends on nothing but its own numbers and the rates: order and company do not
 * matter.
 */
static inline void scaph_attribution_credit(struct scaph_account *account,
					    const struct scaph_rates *rates, uint64_t cpu_ns,
					    uint32_t weight)
{
	unsigned __int128 idle = scaph_rate_part(&rates->idle, weight);

	account->total_units += scaph_rate_part(&rates->dynamic, cpu_ns) + idle;
	account->idle_units += idle;
}

#endif
