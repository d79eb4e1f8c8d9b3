/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - what the writers say they published, kept apart from the segment
 *
 * Shared memory between the processes of one stress program. A writer enters an epoch before it
 * adopts the segment for it, and counts a record after it was published: a writer that was killed may
 * have published one more than it counted, unless it closed the epoch.
 *
 * Mutual exclusion: one writer at a time; anybody reads. `count` is stored with release after the
 * entry is whole.
 */
#ifndef SCAPH_STRESS_LEDGER_H
#define SCAPH_STRESS_LEDGER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LEDGER_EPOCHS_MAX 16384U

enum ledger_order {
	LEDGER_PUBLISH,
	LEDGER_REST, /* close the epoch, publish no more, keep the segment alive */
	LEDGER_END,
};

struct ledger_epoch {
	_Atomic uint64_t epoch_id;
	_Atomic uint64_t published;
	_Atomic bool closed;
};

struct ledger {
	_Atomic uint32_t order; /* the reader's, obeyed by writers */
	_Atomic uint32_t kills;
	_Atomic uint32_t adoptions; /* planned ones */
	_Atomic uint32_t restores;
	_Atomic bool calm; /* no more restores */
	_Atomic uint64_t disturbed_ns; /* the last kill, adoption or restore */
	_Atomic uint64_t delivered_ns; /* the reader's last record */
	_Atomic uint32_t unrecovered; /* disturbances after which no record came in time */
	pthread_mutex_t turn; /* of whoever kills or restores, until the reader recovered or not */
	_Atomic uint32_t count;
	struct ledger_epoch epoch[LEDGER_EPOCHS_MAX];
};

struct ledger *ledger_new(void);

/* Enter an epoch; the entry to count in. */
struct ledger_epoch *ledger_begin(struct ledger *ledger, uint64_t epoch_id);

/* The newest entry of that epoch_id, NULL if no writer ever began it. */
struct ledger_epoch *ledger_find(struct ledger *ledger, uint64_t epoch_id);

/*
 * A disturbance begins: nobody else's until ledger_leave(). @within_ns: how long to give the reader to
 * get a record before the next disturbance may come; 0: the next may come at once.
 */
void ledger_disturb(struct ledger *ledger);
void ledger_leave(struct ledger *ledger, uint64_t within_ns);

static inline enum ledger_order ledger_order(const struct ledger *ledger)
{
	return atomic_load_explicit(&ledger->order, memory_order_acquire);
}

static inline void ledger_set_order(struct ledger *ledger, enum ledger_order order)
{
	atomic_store_explicit(&ledger->order, order, memory_order_release);
}

#endif
