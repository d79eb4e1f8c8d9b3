/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally.h - what is counted for a domain, and for the host, since the host booted
 *
 * Plain cumulative numbers, which the state file keeps over restarts of the daemon. Nothing here
 * ever steps back but the floats.
 */
#ifndef SCAPH_PRODUCER_TALLY_H
#define SCAPH_PRODUCER_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/account/attribution.h"
#include "producer/account/energy.h"
#include "proto/layout.h"

struct scaph_tally {
	struct scaph_account package, core, dram; /* exact */
	struct scaph_account priced; /* package as a shared profile is told */
	uint64_t cpu_ns;
};

struct scaph_host_tally {
	unsigned __int128 zone_units[SCAPH_ZONES]; /* measured */
	unsigned __int128 given_units; /* package energy of all domains, exact */
	unsigned __int128 unattributed_units; /* package energy of gaps */
	unsigned __int128 idle_units; /* package */
	unsigned __int128 own_units; /* package energy of the daemon, in the residual */
	__int128 float_units[SCAPH_PACKAGES_MAX]; /* exact less priced, of shared domains */
	__int128 forgiven_units[SCAPH_PACKAGES_MAX]; /* of the float: what nobody is charged for */
	uint64_t price[SCAPH_PACKAGES_MAX]; /* units per ns of CPU time; 0: none yet */
	uint64_t held_idle_uw; /* that priced domains are told of, of the whole machine */
	uint64_t learnt_idle_uw; /* 0: not yet */
	uint64_t busy_ns, own_cpu_ns;
	uint32_t source, packages; /* that prices and idle power are of; 0: of none yet */
};

#endif
