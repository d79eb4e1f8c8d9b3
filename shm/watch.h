/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - one word of a mapping, looked at again and again
 *
 * All that is left to do for a reader that asks more often than there are records: a load and a comparison. The word is a head
 * or a slot's number; nothing may be read by it from here.
 *
 * Invariant: while seq is set the mapping is there: a cursor clears it before every look, for only a look can end a mapping.
 * Owner: a cursor, one thread.
 */
#ifndef SCAPH_SHM_WATCH_H
#define SCAPH_SHM_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/seq.h"
#include "shm/guard.h"
#include "shm/words.h"

struct scaph_watch {
	struct scaph_guard *guard; /* of the mapping */
	uint64_t offset; /* of the word in it */
	uint64_t seq; /* of the record in question; 0: nothing is watched */
};

static inline uint64_t scaph_watch_load(const struct scaph_watch *watch)
{
	uint64_t value;

	scaph_guard_enter(watch->guard);
	value = scaph_word_load(scaph_word_at(watch->guard->map, watch->offset));
	scaph_guard_leave();
	return value;
}

/* Of a head: whether it still names the record that was verified last. That one never changes. */
static inline bool scaph_watch_same(const struct scaph_watch *watch)
{
	return watch->seq && scaph_watch_load(watch) == watch->seq;
}

/* Of a slot: whether it still holds nothing, or a record of this epoch before the one that is waited for. */
static inline bool scaph_watch_waits(const struct scaph_watch *watch)
{
	uint64_t value;

	if (!watch->seq)
		return false;
	value = scaph_watch_load(watch);
	return value < watch->seq &&
	       (value == 0 || scaph_seq_tag(value) == scaph_seq_tag(watch->seq));
}

#endif
