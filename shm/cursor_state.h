/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor_state.h - inside of a cursor, for the files that make one up
 *
 *   cursor.c   open, attach, prove, go stale, and what can be asked of a cursor
 *   take.c     take: records in order, as long as they are simply there
 *   stream.c   next: every record in order, or what became of it
 *   newest.c   latest: the newest record, the cursor stays
 *   history.c  at, head, rewind, status
 *
 * Rule numbers are those of proto/SPEC.md, "Reading".
 */
#ifndef SCAPH_SHM_CURSOR_STATE_H
#define SCAPH_SHM_CURSOR_STATE_H

#include "shm/attachment.h"
#include "shm/copies.h"
#include "shm/cursor.h"
#include "shm/epochs.h"
#include "shm/pace.h"
#include "shm/stall.h"
#include "shm/watch.h"

#define SCAPH_CURSOR_NOWHERE UINT64_MAX

struct scaph_cursor {
	struct scaph_attachment att;
	struct scaph_copies copies;
	struct scaph_cursor_counts counts;

	/* next() */
	uint64_t next_index;
	uint64_t copied_ns; /* the caller's time of the last copy at the cursor */
	uint64_t due_index; /* up to where records are reckoned to be, at the last copy */
	uint64_t landed_index; /* where the last jump over lapped records ended */
	struct scaph_stall stall;
	uint32_t ahead; /* slots to copy at once: doubles while they all are there */
	uint32_t jump_shift; /* a jump leaves the writer count >> jump_shift slots of room */
	bool placed; /* else next_index is SCAPH_CURSOR_NOWHERE */
	struct scaph_watch watch_next; /* the slot at next_index, after a take() */
	bool pending_epoch; /* an epoch event found by another call than next() */

	/* latest() */
	struct scaph_slot newest; /* the last verified one; seq 0: none of this epoch yet */
	uint64_t newest_count; /* its index + 1 */
	struct scaph_watch watch_newest; /* the head, after a latest() */

	/* both next() and latest() */
	uint64_t limit_ns; /* rules 5 and 6: how long nothing may move before descriptor and head
			      are looked at again */
	uint64_t published; /* records below have been published: the one before it verified */
	struct scaph_stall grown_stall; /* since that last grew: latest()'s silence */
	bool was_live;
	bool withheld; /* profile off: no records by design, the beat is the sign of life */
	uint64_t looked_ns;
	uint64_t nothing_ns; /* since when looks found nothing usable */
	bool nothing;
	struct scaph_pace pace;
	uint64_t seen_ns; /* the caller's time of the last record ... */
	uint64_t seen_mono_ns; /* ... and the record's own */
	bool seen;
	struct scaph_epochs epochs;
	char *path;
};

/* A record verified: whatever is before it has been published, and if it is new it is life. */
static inline void scaph_cursor_verified(struct scaph_cursor *cursor, uint64_t index,
					 uint64_t now_ns)
{
	if (index < cursor->published)
		return;
	cursor->watch_newest.seq = 0;
	cursor->published = index + 1;
	scaph_stall_progress(&cursor->grown_stall, now_ns);
}

/* A look that also moves the cursor into the epoch it found. The copies are gone afterwards. */
enum scaph_look scaph_cursor_look(struct scaph_cursor *cursor, uint64_t now_ns);

/*
 * Rule 2: no figure before something moved. 0: usable and proven; else the event to answer with.
 * @stall: whose silence it is, next()'s or latest()'s
 */
int scaph_cursor_prove(struct scaph_cursor *cursor, struct scaph_stall *stall, uint64_t now_ns);

/* Rule 3: begin the first epoch at its newest record: whether its head has verified (stream.c). */
bool scaph_cursor_place(struct scaph_cursor *cursor, uint64_t now_ns);

/* Rule 6: nothing new, and a look found what @found says: EMPTY, or once that is sure STALE. */
int scaph_cursor_quiet(struct scaph_cursor *cursor, struct scaph_stall *stall,
		       enum scaph_look found, uint64_t now_ns);

/* The profile withholds records: EMPTY as long as the beat moves. */
int scaph_cursor_withheld(struct scaph_cursor *cursor, struct scaph_stall *stall,
			  enum scaph_look found, uint64_t now_ns);

#endif
