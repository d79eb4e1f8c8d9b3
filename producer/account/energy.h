/* SPDX-License-Identifier: Apache-2.0 */
/*
 * energy.h - zones, and the unit in which energy moves through the daemon
 *
 * Energy is counted in units of 2^-32 microjoule, in 128 bits. Every unit that RAPL, perf and powercap
 * use is a whole number of them, so that nothing is rounded between a counter and an account; what
 * the divisions of attribution leave is far below what is ever published.
 */
#ifndef SCAPH_PRODUCER_ENERGY_H
#define SCAPH_PRODUCER_ENERGY_H

#include <stdint.h>

/* Zones in the order of enum scaph_zone_bit. */
enum {
	SCAPH_ZONE_AT_PACKAGE,
	SCAPH_ZONE_AT_CORE,
	SCAPH_ZONE_AT_UNCORE,
	SCAPH_ZONE_AT_DRAM,
	SCAPH_ZONE_AT_PSYS,
	SCAPH_ZONES,
};

#define SCAPH_UNITS_SHIFT 32
#define SCAPH_UNITS_PER_UJ (UINT64_C(1) << SCAPH_UNITS_SHIFT)

/* Whole microjoules in units, rounded down. */
static inline uint64_t scaph_units_uj(unsigned __int128 units)
{
	return (uint64_t)(units >> SCAPH_UNITS_SHIFT);
}

#endif
