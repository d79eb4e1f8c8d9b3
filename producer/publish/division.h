/* SPDX-License-Identifier: Apache-2.0 */
/*
 * division.h - a measured window's energy into everybody's tallies, and those into records
 *
 * Tallies of all come first, then they are stored, then records are published: what a reader has
 * seen is in the state file. Publisher thread only.
 */
#ifndef SCAPH_PRODUCER_DIVISION_H
#define SCAPH_PRODUCER_DIVISION_H

#include "producer/publish/publisher.h"

/* One window as it was measured. */
struct scaph_window {
	uint64_t end_ns; /* CLOCK_MONOTONIC */
	uint64_t dt_ns;
	bool held; /* it stays open: nothing of it is known yet */
	bool coarse; /* its energy is not quite of this window; nobody is told who sees none of it */
	uint16_t flags; /* of every record */
	bool divided; /* else its energy is nobody's, or not known */
	bool by_traffic; /* its dram energy goes by memory traffic, not by CPU time */
	uint64_t busy_ns[SCAPH_PACKAGES_MAX];
	unsigned __int128 delta_units[SCAPH_PACKAGES_MAX][SCAPH_ZONES];
};

/* Add the window to all tallies. */
void scaph_division_credit(struct scaph_publisher *publisher, const struct scaph_window *window);

/* Put all tallies into the state file, and make them count. */
void scaph_division_store(struct scaph_publisher *publisher);

/* A record for everybody. */
void scaph_division_publish(struct scaph_publisher *publisher, const struct scaph_window *window);

#endif
