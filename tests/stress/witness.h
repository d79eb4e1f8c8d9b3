/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness.h - a reader that believes nothing: every event of a cursor held against the ledger
 *
 * Wrong is: a record whose content, number or epoch is not the one that follows; a loss of a record
 * that is there; an epoch that no writer began. In the end, per epoch, what was delivered, lost and
 * left behind as unknown tail must be what was published.
 * One thread.
 */
#ifndef SCAPH_STRESS_WITNESS_H
#define SCAPH_STRESS_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/cursor.h"
#include "tests/stress/ledger.h"

struct account {
	bool seen;
	uint64_t first; /* where the reader came in: 0 but in the first epoch */
	uint64_t position; /* the next record due */
	uint64_t delivered;
	uint64_t lost;
};

struct witness {
	struct ledger *ledger;
	struct scaph_cursor *cursor;
	/* A record called lost must not be readable. Not where old bytes may come back. */
	bool check_losses;
	bool taking; /* the next look takes what is there; else it asks for the next event */
	struct account *accounts; /* by line of the ledger */
	struct account *present; /* NULL: no epoch yet */
	uint64_t epoch_id;
	uint64_t delivered;
	uint64_t lost;
	uint64_t losses; /* events */
	uint64_t stale;
	uint64_t epochs; /* events */
	uint64_t wrong;
	uint64_t delivered_ns; /* time of the last record */
	uint64_t worst_gap_ns; /* between two records */
	uint64_t recoveries; /* first records after a disturbance */
	uint64_t worst_recovery_ns;
};

/* Open the stage's segment as soon as it is there. */
void witness_open(struct witness *witness, struct ledger *ledger, enum scaph_mode mode);
void witness_close(struct witness *witness);

/* One call of scaph_cursor_take() or scaph_cursor_next(), judged. Its result. */
int witness_next(struct witness *witness, uint64_t now_ns);

/* Read on until everything published is accounted for: whether that came about before the deadline. */
bool witness_drain(struct witness *witness, uint64_t deadline_ns);

/* After the last writer ended: checks every epoch, prints the sums. Whether all of them add up. */
bool witness_settle(struct witness *witness);

#endif
