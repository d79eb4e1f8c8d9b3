/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attribution.h - dividing one window's energy among domains, in integers
 *
 * Pure arithmetic, no I/O. Energy moves in units of 2^-32 microjoule, so that the remainders of a
 * division are far below what is ever published and nothing has to be handed round.
 *
 *   x = E - P_idle * dt + debt;  x < 0: debt = x, D = 0;  else debt = 0, D = x;  I = E - D
 *   per domain: dynamic += D * t / B;  idle += I * v / max(sum of v, C)
 *
 * E energy of the window, B busy time, t the domain's, both of one sweep of one meter; v its vCPUs,
 * C the host's CPUs. With no idle power known D = E and I = 0. With B = 0 nobody gets D: it stays
 * with the host, as does the idle part of CPUs that no domain has. Several packages come with a
 * later layer: a ledger is of one package.
 */
#ifndef SCAPH_PRODUCER_ATTRIBUTION_H
#define SCAPH_PRODUCER_ATTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

#define SCAPH_UNITS_SHIFT 32 /* 2^32 units are one microjoule */

/* What a zone's energy is split with; zero at the start of an epoch. */
struct scaph_splitter {
	bool idle_known;
	uint64_t idle_uw;
	__int128 debt_units; /* never positive */
	uint64_t idle_remainder; /* of idle_uw x ns / 10^9, carried */
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

/* Busy time and CPUs of the window. */
struct scaph_basis {
	uint64_t busy_ns; /* at least the sum of the domains' */
	uint32_t vcpus; /* sum over domains */
	uint32_t cpus; /* of the host */
};

/**
 * scaph_attribution_split() - divide a window's energy into dynamic and idle
 * @splitter:  carries debt and remainder
 * @energy_uj: measured in the window
 * @dt_ns:     its length
 *
 * dynamic + idle is exactly the energy.
 */
struct scaph_portion scaph_attribution_split(struct scaph_splitter *splitter, uint64_t energy_uj,
					     uint64_t dt_ns);

/**
 * scaph_attribution_credit() - add a domain's part of a window to its account
 * @account: of this domain and zone
 * @portion: of this zone and window
 * @basis:   the same for every domain of the window
 * @cpu_ns:  the domain's CPU time in the window, at most basis->busy_ns
 * @vcpus:   the domain's
 *
 * Each domain's part depends on nothing but its own numbers and the basis: order and company do not
 * matter.
 */
void scaph_attribution_credit(struct scaph_account *account, const struct scaph_portion *portion,
			      const struct scaph_basis *basis, uint64_t cpu_ns, uint32_t vcpus);

static inline uint64_t scaph_units_uj(unsigned __int128 units)
{
	return (uint64_t)(units >> SCAPH_UNITS_SHIFT);
}

#endif
