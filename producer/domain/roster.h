/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roster.h - the domains of which the hypervisor says that they run, in the order of its events
 *
 * Kept because an event alone does not say enough: whether a definition that went was of a domain that
 * still runs, whether one that stopped has no definition to come back by, and whose process was not
 * found yet. Owned by the hypervisor's thread.
 */
#ifndef SCAPH_PRODUCER_ROSTER_H
#define SCAPH_PRODUCER_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/layout.h"

struct scaph_roster_entry {
	uint8_t uuid[SCAPH_UUID_BYTES];
	bool persistent; /* has a definition that outlives its process */
	uint32_t tries; /* to find its process, since the last success */
	uint64_t again_ns; /* of CLOCK_MONOTONIC, when to try next; UINT64_MAX: no need to */
};

struct scaph_roster {
	struct scaph_roster_entry *entry;
	uint32_t count, room;
};

void scaph_roster_deinit(struct scaph_roster *roster);

/* NULL: it does not run as far as is known. Good until the next call that changes the roster. */
struct scaph_roster_entry *scaph_roster_find(const struct scaph_roster *roster,
					     const uint8_t uuid[SCAPH_UUID_BYTES]);

/* Find or add, as persistent and with a process that is known. NULL: no memory. */
struct scaph_roster_entry *scaph_roster_add(struct scaph_roster *roster,
					    const uint8_t uuid[SCAPH_UUID_BYTES]);
void scaph_roster_remove(struct scaph_roster *roster, struct scaph_roster_entry *entry);
void scaph_roster_clear(struct scaph_roster *roster);

/* The one to be tried again first; NULL: none. */
struct scaph_roster_entry *scaph_roster_due(const struct scaph_roster *roster);

#endif
