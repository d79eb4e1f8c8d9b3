/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor.h - a place in the stream over a segment, in both reading modes
 *
 * The state machine of proto/SPEC.md, "Reading": unproven until head or beat moved under one epoch;
 * then records in order, each verified; lost counted exactly and only after the slot was read again
 * behind the head; a new epoch is an event of its own; no progress for max(3 windows, 250 ms) and
 * nothing behind the head is stale.
 *
 * All time comes in as now_ns (the caller's CLOCK_MONOTONIC), so that every state is reachable in a
 * test without waiting. One thread per reader. Every byte from the segment is untrusted: no loop
 * here is bounded by one of them. In snapshot mode calls may block for ever in the kernel (a hung
 * virtiofsd): callers that must end do not call from the thread or process that must.
 */
#ifndef SCAPH_SHM_CURSOR_H
#define SCAPH_SHM_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/descriptor.h"
#include "proto/layout.h"
#include "proto/slot.h"
#include "proto/status.h"
#include "shm/access.h"
#include "shm/figures.h"
#include "shm/watch.h"

/*
 * What scaph_cursor_next() found. Everything but RECORD may be followed by a RECORD at the next
 * call.
 */
enum scaph_cursor_event {
	SCAPH_CURSOR_RECORD = 0,
	SCAPH_CURSOR_EMPTY, /* nothing new yet */
	SCAPH_CURSOR_LOST, /* some records are gone for ever: see ret_lost */
	SCAPH_CURSOR_EPOCH, /* a new epoch was attached to; the old one's tail is unknown */
	SCAPH_CURSOR_UNPROVEN, /* attached, but nothing has moved yet: no figure may be shown */
	SCAPH_CURSOR_STALE, /* was live, no longer moves */
	SCAPH_CURSOR_REFUSED, /* no segment a reader may use: see scaph_cursor_refusal() */
};

struct scaph_cursor;

struct scaph_cursor_counts {
	uint64_t delivered; /* all epochs together */
	uint64_t lost;
	uint64_t epochs; /* events, the first attach not among them */
	uint64_t retries;
};

/**
 * scaph_cursor_open() - open a segment and attach as far as it lets us
 * @path:       a segment file, a block device (pmem), or an ivshmem device's resource2
 * @mode:       SCAPH_MODE_AUTO chooses by mount type and probe
 * @now_ns:     CLOCK_MONOTONIC
 * @ret_cursor: set only on 0
 *
 * A file that exists but is no segment (yet) opens: scaph_cursor_next() then says REFUSED or
 * UNPROVEN and goes on looking. The cursor stands at the newest record of the moment of attach,
 * which is the first delivered.
 *
 * Return:   0 or a negative errno (-ENOENT, -EACCES, -EPERM under lockdown, -ENOTSUP for what is no
 *           regular file or device).
 */
int scaph_cursor_open(const char *path, enum scaph_mode mode, uint64_t now_ns,
		      struct scaph_cursor **ret_cursor);

/* Unmaps, closes, frees; takes NULL and returns NULL. */
struct scaph_cursor *scaph_cursor_free(struct scaph_cursor *cursor);

/**
 * scaph_cursor_next() - the next event in order
 * @ret_slot: set only on SCAPH_CURSOR_RECORD: a verified private copy
 * @ret_lost: set only on SCAPH_CURSOR_LOST: how many records in a row are gone
 *
 * Context:  coherent: no system call while records come; snapshot: at most one pread a ring part,
 *           buffered.
 * Ordering: R1-R5 (pair with W2, W1, W3, W5, W4 in shm/writer.c).
 * Return:   enum scaph_cursor_event or a negative errno (the path is gone for good or cannot be
 *           read).
 */
int scaph_cursor_next(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot,
		      uint64_t *ret_lost);

/**
 * scaph_cursor_take() - records in order, as long as they are simply there
 * @now_ns:    may be a reading of some time ago; then scaph_cursor_date() follows
 * @ret_figures: verified, room for @room
 *
 * What is not plainly the next record is left for scaph_cursor_next() to judge.
 *
 * Context:  no system call in either mode; in snapshot mode only what was copied already.
 * Ordering: R1, R2 (pair with W2, W1 in shm/writer.c).
 * Return:   how many, 0 to @room.
 */
uint32_t scaph_cursor_take(struct scaph_cursor *cursor, uint64_t now_ns,
			   struct scaph_figures *ret_figures, uint32_t room);

/*
 * The next record, if its slot is watched and it is there: the same as a take of one, by a shorter way. False: take, or ask.
 */
bool scaph_cursor_take_watched(struct scaph_cursor *cursor, uint64_t now_ns,
			       struct scaph_figures *ret_figures);

/*
 * Whether a copy was used up by the last scaph_cursor_take() without a gap in it: then more is
 * likely to be there, and scaph_cursor_next() fetches it. Always false in coherent mode.
 */
bool scaph_cursor_ran_out(const struct scaph_cursor *cursor);

/**
 * scaph_cursor_glance() - a newer record than all before, if that is plain at once
 * @now_ns:      may be a reading of some time ago; then scaph_cursor_date() follows
 * @ret_figures: verified; set only if there is one
 *
 * Context:  no system call; coherent mode only, and only after a latest() that succeeded.
 * Ordering: R1, R2 (pair with W2, W1 in shm/writer.c). The head is a hint: a slot older than it is
 *           looked at again.
 * Return:   false: ask scaph_cursor_latest().
 */
bool scaph_cursor_glance(struct scaph_cursor *cursor, uint64_t now_ns,
			 struct scaph_figures *ret_figures);

/*
 * Words that say there is nothing new, each as long as it is watched: the head, for latest() and glance(); the slot of the
 * next record, for next() after a take(). They live as long as the cursor.
 */
const struct scaph_watch *scaph_cursor_watch_newest(const struct scaph_cursor *cursor);
const struct scaph_watch *scaph_cursor_watch_next(const struct scaph_cursor *cursor);

/*
 * Records that were taken at a reading of the clock of some time ago, @read_ns, came at @at_ns at
 * the latest. Without this a silence would seem to have begun at the old reading.
 */
void scaph_cursor_date(struct scaph_cursor *cursor, uint64_t read_ns, uint64_t at_ns);

/**
 * scaph_cursor_latest() - the newest complete record, the cursor stays
 *
 * Head, then that slot; if it was lapped meanwhile, again, at most 16 times.
 * Return:   SCAPH_CURSOR_RECORD, _EMPTY (none yet), _UNPROVEN, _STALE, _REFUSED, or a negative
 *           errno.
 */
int scaph_cursor_latest(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot);

/**
 * scaph_cursor_at() - the record of one index of the present epoch, if the fast (slow) ring still
 * holds it
 * @block_type: SCAPH_BLOCK_FAST or SCAPH_BLOCK_SLOW
 *
 * Return:   SCAPH_CURSOR_RECORD, SCAPH_CURSOR_LOST (overwritten or never there), _EMPTY (not yet),
 *           or a negative errno.
 */
int scaph_cursor_at(struct scaph_cursor *cursor, uint32_t block_type, uint64_t index,
		    struct scaph_slot *ret_slot);

/*
 * Index of the newest record by the ring's head (a hint until read): 0 and set, SCAPH_CURSOR_EMPTY,
 * or a negative errno.
 */
int scaph_cursor_head(struct scaph_cursor *cursor, uint32_t block_type, uint64_t *ret_index);

/* Move the cursor to the oldest record the ring still holds safely: history first. */
int scaph_cursor_rewind(struct scaph_cursor *cursor);

/*
 * The status block of the present epoch: 0 and set, SCAPH_CURSOR_EMPTY (none readable now), or a
 * negative errno.
 */
int scaph_cursor_status(struct scaph_cursor *cursor, struct scaph_status *ret_status);

/* The descriptor attached to; NULL before the first. Valid until the next scaph_cursor_next(). */
const struct scaph_descriptor *scaph_cursor_descriptor(const struct scaph_cursor *cursor);
/* Whether head or beat has been seen moving under the present epoch. */
bool scaph_cursor_proven(const struct scaph_cursor *cursor);
enum scaph_mode scaph_cursor_mode(const struct scaph_cursor *cursor);
struct scaph_cursor_counts scaph_cursor_counts(const struct scaph_cursor *cursor);
/* Why the last answer was REFUSED: one clause. */
const char *scaph_cursor_refusal(const struct scaph_cursor *cursor);
/* The caller's time of the last record or proof of life. */
uint64_t scaph_cursor_progress_ns(const struct scaph_cursor *cursor);

/**
 * scaph_cursor_due_ns() - when to look next, instead of spinning
 * @now_ns:   CLOCK_MONOTONIC
 * @batch_ns: the reader's wish to be woken no more often than this (0: for each record)
 *
 * Predicts the next record from the least delay seen; between looks backs off.
 * Return:   a CLOCK_MONOTONIC time, always later than now_ns and at most 1 s away.
 */
uint64_t scaph_cursor_due_ns(struct scaph_cursor *cursor, uint64_t now_ns, uint64_t batch_ns);

#endif
