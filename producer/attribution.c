/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attribution.c - the formula of attribution.h
 */
#include "producer/attribution.h"

#include <assert.h>

#define NS_PER_S 1000000000ULL

/*
 * P_idle * dt in units; what the division by 10^9 leaves is carried, so that long sums are exact.
 */
static unsigned __int128 idle_units(struct scaph_splitter *splitter, uint64_t dt_ns)
{
	unsigned __int128 product =
		((unsigned __int128)splitter->idle_uw * dt_ns << SCAPH_UNITS_SHIFT) +
		splitter->idle_remainder;

	splitter->idle_remainder = (uint64_t)(product % NS_PER_S);
	return product / NS_PER_S;
}

struct scaph_portion scaph_attribution_split(struct scaph_splitter *splitter, uint64_t energy_uj,
					     uint64_t dt_ns)
{
	unsigned __int128 energy = (unsigned __int128)energy_uj << SCAPH_UNITS_SHIFT;
	__int128 x;

	if (!splitter->idle_known)
		return (struct scaph_portion){ .dynamic_units = energy };
	x = (__int128)energy - (__int128)idle_units(splitter, dt_ns) + splitter->debt_units;
	splitter->debt_units = x < 0 ? x : 0;
	if (x < 0)
		x = 0;
	/* The debt only ever holds dynamic energy back, so x cannot exceed what was measured. */
	assert((unsigned __int128)x <= energy);
	return (struct scaph_portion){
		.dynamic_units = (unsigned __int128)x,
		.idle_units = energy - (unsigned __int128)x,
	};
}

/*
 * units * part / whole without overflow: units below 2^96 are split so that each product fits 128
 * bits.
 */
static unsigned __int128 scale(unsigned __int128 units, uint64_t part, uint64_t whole)
{
	unsigned __int128 quotient = units / whole;
	unsigned __int128 rest = units % whole;

	return quotient * part + rest * part / whole;
}

void scaph_attribution_credit(struct scaph_account *account, const struct scaph_portion *portion,
			      const struct scaph_basis *basis, uint64_t cpu_ns, uint32_t vcpus)
{
	uint32_t seats = basis->vcpus > basis->cpus ? basis->vcpus : basis->cpus;

	assert(cpu_ns <= basis->busy_ns);
	if (basis->busy_ns)
		account->total_units += scale(portion->dynamic_units, cpu_ns, basis->busy_ns);
	if (seats) {
		unsigned __int128 idle = scale(portion->idle_units, vcpus, seats);

		account->total_units += idle;
		account->idle_units += idle;
	}
}
