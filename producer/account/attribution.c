/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attribution.c - the formula of attribution.h
 */
#include "producer/account/attribution.h"

#include <assert.h>

#define NS_PER_S 1000000000ULL

/*
 * P_idle * dt in units; what the division leaves is carried, so that long sums are exact.
 */
static unsigned __int128 idle_units(struct scaph_splitter *splitter, uint64_t dt_ns)
{
	uint64_t divisor = NS_PER_S * splitter->packages;
	unsigned __int128 product =
		((unsigned __int128)splitter->idle_uw * dt_ns << SCAPH_UNITS_SHIFT) +
		splitter->idle_remainder;

	splitter->idle_remainder = (uint64_t)(product % divisor);
	return product / divisor;
}

struct scaph_portion scaph_attribution_split(struct scaph_splitter *splitter,
					     unsigned __int128 energy_units, uint64_t dt_ns)
{
	__int128 x;

	if (!splitter->idle_known)
		return (struct scaph_portion){ .dynamic_units = energy_units };
	x = (__int128)energy_units - (__int128)idle_units(splitter, dt_ns) + splitter->debt_units;
	splitter->debt_units = x < 0 ? x : 0;
	if (x < 0)
		x = 0;
	/* The debt only ever holds dynamic energy back, so x cannot exceed what was measured. */
	assert((unsigned __int128)x <= energy_units);
	return (struct scaph_portion){
		.dynamic_units = (unsigned __int128)x,
		.idle_units = energy_units - (unsigned __int128)x,
	};
}

/* Once a window: so that each product with a part fits 128 bits. */
static struct scaph_rate rate_of(unsigned __int128 units, uint64_t whole)
{
	if (!whole)
		return (struct scaph_rate){};
	return (struct scaph_rate){
		.quotient = units / whole,
		.rest = (uint64_t)(units % whole),
		.whole = whole,
	};
}

struct scaph_rates scaph_attribution_rates(const struct scaph_portion *portion,
					   const struct scaph_basis *basis)
{
	return (struct scaph_rates){
		.dynamic = rate_of(portion->dynamic_units, basis->busy_ns),
		.idle = rate_of(portion->idle_units, basis->seats),
	};
}
