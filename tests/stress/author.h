/* SPDX-License-Identifier: Apache-2.0 */
/*
 * author.h - a writer of self-proving records that keeps the ledger
 *
 * What a daemon does with one segment, by the production code: open, adopt, publish, beat, refresh.
 * One thread or process at a time.
 */
#ifndef SCAPH_STRESS_AUTHOR_H
#define SCAPH_STRESS_AUTHOR_H

#include <stdint.h>

#include "shm/segment.h"
#include "shm/writer.h"
#include "tests/stress/ledger.h"
#include "tests/stress/payload.h"

#define AUTHOR_WINDOW_SHORT_NS 1000000ULL /* a ring of 4096 slots */
#define AUTHOR_WINDOW_LONG_NS 20000000ULL /* of 1024, and quiet for 250 ms all the same */

struct author {
	struct ledger *ledger;
	struct ledger_epoch *epoch;
	struct scaph_segment segment;
	struct scaph_writer writer;
	struct scaph_slot newest; /* as given to the writer */
	uint64_t index; /* of the next record */
	uint64_t refreshed_ns;
	uint64_t beat_ns;
};

/* Open the stage's segment, made or found; ends the process with a word if that fails. */
void author_open(struct author *author, struct ledger *ledger);
void author_close(struct author *author);

/* Adopt for a new epoch, entered in the ledger first. */
void author_begin(struct author *author, uint64_t window_ns);

/* What a daemon does beside records: a beat ten times a second, a refresh and a slow record once. */
void author_upkeep(struct author *author, uint64_t now_ns);

/* The epoch is whole: its count in the ledger is exact from now on. */
void author_finish(struct author *author);

/* Keep the segment alive without records until the order to end. */
void author_rest(struct author *author);

static inline void author_publish(struct author *author)
{
	payload_fill(&author->newest, author->writer.desc.epoch_id, author->index);
	scaph_writer_publish(&author->writer, &author->newest);
	author->index++;
	atomic_store_explicit(&author->epoch->published, author->index, memory_order_relaxed);
}

#endif
