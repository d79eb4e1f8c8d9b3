/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - cumulative counters in a mapped file, so that they survive a killed daemon
 *
 * The file lies in the state folder, which is the host's own: no guest sees it. Every tally has two
 * copies, each with a generation and a checksum; a window's tallies go to the older copies, and only
 * then one word says that this generation counts. A daemon killed between any two stores therefore
 * left either the whole window or nothing of it, and what it has published is always in the file,
 * because storing comes first. Another boot of the host begins at 0.
 *
 * Slots are opened and given back by the main thread, tallies stored by the publisher; a slot is
 * only ever touched by one of them, for a domain enters the publisher's table after its slot was
 * opened and leaves it before.
 */
#ifndef SCAPH_PRODUCER_LEDGER_H
#define SCAPH_PRODUCER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "producer/account/tally.h"

#define SCAPH_LEDGER_FILE "counters"
#define SCAPH_LEDGER_DOMAINS_MAX 4096U

struct scaph_ledger {
	void *map;
	size_t bytes;
	uint64_t generation; /* of the window that is being stored */
	uint64_t opened; /* slots opened so far in all lives, to find the oldest */
	bool *taken; /* by slot: of a domain that runs */
};

/**
 * scaph_ledger_open() - map the file, made or begun anew if it is not of this boot
 * @folder_fd: the state folder
 * @folder:    its name for messages
 * @ret_ledger: set on 0; closed with scaph_ledger_close()
 *
 * Return:   0, or a negative errno after one line.
 */
int scaph_ledger_open(int folder_fd, const char *folder, struct scaph_ledger *ret_ledger);
void scaph_ledger_close(struct scaph_ledger *ledger);

/**
 * scaph_ledger_take() - the slot of a domain that begins to run
 * @ret_tally: where it left off; zero for one that is new
 *
 * Return:   the slot, or -ENOSPC: SCAPH_LEDGER_DOMAINS_MAX run already.
 */
int scaph_ledger_take(struct scaph_ledger *ledger, const uint8_t uuid[SCAPH_UUID_BYTES],
		      struct scaph_tally *ret_tally);

/* The domain runs no more; its tally stays for the next time. */
void scaph_ledger_give_back(struct scaph_ledger *ledger, int slot);

/* The domain is no more: its tally begins at 0 the next time. Nothing if it runs. */
void scaph_ledger_forget(struct scaph_ledger *ledger, const uint8_t uuid[SCAPH_UUID_BYTES]);

/* What the host's totals were; zero at first. */
void scaph_ledger_load_host(const struct scaph_ledger *ledger, struct scaph_host_tally *ret_tally);

/* Publisher: a window's tallies, then scaph_ledger_commit(). */
void scaph_ledger_store(struct scaph_ledger *ledger, int slot, const struct scaph_tally *tally);
void scaph_ledger_store_host(struct scaph_ledger *ledger, const struct scaph_host_tally *tally);
void scaph_ledger_commit(struct scaph_ledger *ledger);

#endif
