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
 * no domain has.
 */
#ifndef SCAPH_PRODUCER_ATTRIBUTION_H
#define SCAPH_PRODUCER_ATTRIBUTION_H

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
	uint64_t busy_ns; /* at least the sum of the domains' */
	uint32_t seats; /* at least the sum of the weights; 0: nobody is given idle energy */
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

/**
 * scaph_attribution_credit() - add a domain's part of a window to its account
 * @account: of this domain and zone
 * @portion: of this zone and window
 * @basis:   the same for every domain of the window
 * @cpu_ns:  the domain's CPU time in the window on this package, at most basis->busy_ns
 * @weight:  the domain's
 *
 * Each domain's part depends on nothing but its own numbers and the basis: order and company do not
 * matter.
 */
void scaph_attribution_credit(struct scaph_account *account, const struct scaph_portion *portion,
			      const struct scaph_basis *basis, uint64_t cpu_ns, uint32_t weight);

#endif
