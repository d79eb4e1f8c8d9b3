/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - the domains that are published, as an RCU list: the only user of liburcu
 *
 * Mutual exclusion:
 *   add, remove, first, next   main thread only; next() there needs no read lock
 *   begin, end, first, next    publisher thread: one read lock a tick, no other lock
 * remove() returns when the publisher can no longer see the entry: from then on all of it is the main
 * thread's, which retires the segments and frees it. Before add() likewise. While it is in the
 * table an entry's reading, publication and tally are the publisher's.
 */
#ifndef SCAPH_PRODUCER_TABLE_H
#define SCAPH_PRODUCER_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/domain/domain.h"
#include "producer/meter/meter.h"
#include "producer/publish/publication.h"
#include "producer/account/tally.h"

/* A domain's memory traffic of a second, by which dram energy is divided. */
struct scaph_entry_traffic {
	bool known;
	uint64_t bytes[SCAPH_PACKAGES_MAX];
};

struct scaph_entry {
	struct scaph_domain domain;
	struct scaph_reading reading;
	struct scaph_publication publication;
	struct scaph_tally tally;
	int slot; /* in the state file */
	struct scaph_entry_traffic traffic; /* in force */

	/* Guarded by the publisher's lock: notes for the main thread. */
	bool gone; /* the meter found its process ended */
	uint8_t failed; /* scaph_publication_failed() */
	bool paused, refresh; /* notes from the main thread */
	struct scaph_entry_traffic traffic_noted; /* another */

	/* Main thread only. */
	uint8_t failed_said;
	bool option_said; /* the hypervisor knows it otherwise than the option */
};

struct scaph_table;

/* NULL: out of memory. */
struct scaph_table *scaph_table_new(void);

/* The table must be empty. NULL is allowed. */
void scaph_table_free(struct scaph_table *table);

/* A zeroed entry outside the table, or NULL; freed after it was removed, or never added. */
struct scaph_entry *scaph_table_entry_new(void);
void scaph_table_entry_free(struct scaph_entry *entry);

void scaph_table_add(struct scaph_table *table, struct scaph_entry *entry);
void scaph_table_remove(struct scaph_table *table, struct scaph_entry *entry);

/* NULL at the end. Publisher: the pointers are good until scaph_table_end(). */
struct scaph_entry *scaph_table_first(const struct scaph_table *table);
struct scaph_entry *scaph_table_next(const struct scaph_table *table,
				     const struct scaph_entry *entry);

/* Another number whenever an entry came or went. Within begin() and end(), or the main thread. */
uint64_t scaph_table_version(const struct scaph_table *table);

/* A thread that calls begin() and end() registers before and unregisters after. */
void scaph_table_register_reader(void);
void scaph_table_unregister_reader(void);
void scaph_table_begin(void);
void scaph_table_end(void);

#endif
