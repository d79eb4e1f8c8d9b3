/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.c - scaph_cursor_next(): every record in order, or what became of it
 *
 * A run of slots is copied, then judged one by one out of private memory. What is not there is only
 * called lost after the head was seen past it, the head's own slot verified, and its slot was
 * copied once more after that. Rule numbers are those of proto/SPEC.md, "Reading".
 */
#include "shm/cursor.h"

#include "proto/seq.h"
#include "shm/cursor_state.h"

#define HEAD_TRIES 8
#define AHEAD_MAX ((SCAPH_ACCESS_BUFFER_BYTES - SCAPH_BLOCK_ALIGN) / SCAPH_SLOT_BYTES)
#define FOREIGN_LOOK_NS 10000000ULL /* between looks that a foreign tag alone asks for */

/* The copy at the cursor was judged OK. */
static inline int deliver(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot,
			  uint64_t *ret_lost)
{
	const struct scaph_slot *slot = scaph_copies_slot(&cursor->copies, cursor->next_index);

	scaph_cursor_verified(cursor, cursor->next_index, now_ns);
	cursor->next_index++;
	cursor->watch_next.seq = 0;
	scaph_stall_progress(&cursor->stall, now_ns);
	if (!scaph_slot_usable(slot)) {
		/* An unknown critical flag: there, but not for this reader. */
		cursor->counts.lost++;
		*ret_lost = 1;
		return SCAPH_CURSOR_LOST;
	}
	cursor->seen = true;
	cursor->seen_ns = now_ns;
	cursor->seen_mono_ns = slot->mono_ns;
	cursor->counts.delivered++;
	scaph_slot_hand_out(slot, ret_slot);
	return SCAPH_CURSOR_RECORD;
}

/*
 * What a fresh copy should hold: in snapshot mode what must have come since the last record, so
 * that one pread does, or two where the ring ends in between; in both modes twice the last time's
 * as long as every slot of it was there.
 */
static uint32_t wanted_slots(struct scaph_cursor *cursor, uint64_t now_ns)
{
	uint64_t due_index, expected;

	if (scaph_access_mode(&cursor->att.access) == SCAPH_MODE_COHERENT)
		return cursor->ahead;
	due_index = cursor->next_index + 2 +
		    scaph_since_ns(now_ns, cursor->stall.progress_ns) / cursor->att.desc.window_ns;
	if (due_index > cursor->due_index)
		cursor->due_index = due_index;
	expected = cursor->due_index - cursor->next_index;
	if (expected < cursor->ahead)
		return cursor->ahead;
	return expected < AHEAD_MAX ? (uint32_t)expected : AHEAD_MAX;
}

/*
 * A fresh copy at the cursor. In snapshot mode one copy is one look and its first gap ends that:
 * the next look is the caller's, unless the copy is old by now.
 */
static enum scaph_slot_class fresh_copy(struct scaph_cursor *cursor, uint64_t now_ns, bool gap)
{
	enum scaph_slot_class class;

	scaph_copies_drop(&cursor->copies);
	if (gap) {
		cursor->ahead = 1;
		if (scaph_access_mode(&cursor->att.access) == SCAPH_MODE_SNAPSHOT &&
		    scaph_since_ns(now_ns, cursor->copied_ns) < cursor->att.desc.window_ns / 2)
			return SCAPH_SLOT_EMPTY;
	}
	cursor->copied_ns = now_ns;
	if (scaph_copies_fetch(&cursor->copies, &cursor->att, SCAPH_BLOCK_FAST, cursor->next_index,
			       wanted_slots(cursor, now_ns)) < 0)
		return SCAPH_SLOT_EMPTY;
	class = scaph_copies_judge(&cursor->copies, cursor->next_index);
	if (class != SCAPH_SLOT_OK)
		scaph_copies_drop(&cursor->copies);
	else if (cursor->ahead < AHEAD_MAX)
		cursor->ahead *= 2;
	return class;
}

/*
 * The ring has come round: to a place that leaves the writer some room. More of it each time the
 * room of the last jump did not do.
 */
static uint64_t jump(struct scaph_cursor *cursor, uint64_t head_index)
{
	uint64_t count = cursor->att.geometry.fast.count;
	uint64_t oldest = head_index - count + 2; /* the one before is being overwritten */
	uint64_t to;

	if (!cursor->landed_index || cursor->next_index - cursor->landed_index >= count / 2)
		cursor->jump_shift = 3;
	else if (cursor->jump_shift)
		cursor->jump_shift--;
	to = oldest + (count >> cursor->jump_shift);
	if (to > head_index)
		to = head_index;
	cursor->landed_index = to;
	return to;
}

/*
 * Count what is gone: by a jump, or from the cursor to the next record that is there among the
 * copies, which were made after the head was seen.
 */
static int lose(struct scaph_cursor *cursor, uint64_t now_ns, uint64_t *ret_lost)
{
	uint64_t head_index = cursor->published - 1;
	uint64_t from = cursor->next_index, to = from + 1;

	if (head_index - from >= cursor->att.geometry.fast.count - 1) {
		to = jump(cursor, head_index);
		if (to <= from)
			to = from + 1;
	} else {
		while (to < cursor->published &&
		       scaph_copies_hold(&cursor->copies, SCAPH_BLOCK_FAST, to) &&
		       scaph_copies_judge(&cursor->copies, to) != SCAPH_SLOT_OK)
			to++;
	}
	cursor->next_index = to;
	cursor->due_index = 0;
	cursor->watch_next.seq = 0;
	cursor->counts.lost += to - from;
	scaph_stall_progress(&cursor->stall, now_ns); /* the writer went past: a sign of life */
	*ret_lost = to - from;
	return SCAPH_CURSOR_LOST;
}

/* Rule 5, first half: the head just seen, verified by its own slot; or what was verified before. */
static void verify_head(struct scaph_cursor *cursor, uint64_t now_ns)
{
	const struct scaph_attachment *att = &cursor->att;
	uint64_t index;

	if (att->heads.fast == scaph_seq_before_first(att->tag))
		return;
	index = scaph_seq_index(att->heads.fast);
	if (index < cursor->published)
		return;
	if (scaph_copies_verify_head(&cursor->copies, &cursor->att, index, HEAD_TRIES, &index) == 0)
		scaph_cursor_verified(cursor, index, now_ns);
}

/* Rule 5: descriptor and head again; behind the head the slot again; only then it may be lost. */
static int behind_head(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot,
		       uint64_t *ret_lost)
{
	enum scaph_look found = scaph_cursor_look(cursor, now_ns);
	uint64_t behind;

	if (found == SCAPH_LOOK_EPOCH)
		return SCAPH_CURSOR_EPOCH;
	if (cursor->withheld)
		return scaph_cursor_withheld(cursor, &cursor->stall, found, now_ns);
	if (found == SCAPH_LOOK_SAME)
		verify_head(cursor, now_ns);
	if (!cursor->att.usable || cursor->next_index >= cursor->published)
		return scaph_cursor_quiet(cursor, &cursor->stall, found, now_ns);
	behind = cursor->published - cursor->next_index;
	if (scaph_copies_fetch(&cursor->copies, &cursor->att, SCAPH_BLOCK_FAST, cursor->next_index,
			       behind < AHEAD_MAX ? (uint32_t)behind : AHEAD_MAX) < 0)
		return scaph_cursor_quiet(cursor, &cursor->stall, found, now_ns);
	if (scaph_copies_judge(&cursor->copies, cursor->next_index) == SCAPH_SLOT_OK)
		return deliver(cursor, now_ns, ret_slot, ret_lost);
	return lose(cursor, now_ns, ret_lost);
}

bool scaph_cursor_place(struct scaph_cursor *cursor, uint64_t now_ns)
{
	const struct scaph_attachment *att = &cursor->att;

	if (att->heads.fast == scaph_seq_before_first(att->tag)) {
		cursor->next_index = 0;
	} else {
		verify_head(cursor, now_ns);
		scaph_copies_drop(&cursor->copies);
		if (!cursor->published)
			return false;
		cursor->next_index = cursor->published - 1;
	}
	cursor->placed = true;
	return true;
}

/* Nothing at the cursor: whether that asks for a look behind the head, and for one right now. */
static bool look_is_due(const struct scaph_cursor *cursor, enum scaph_slot_class class,
			uint64_t now_ns)
{
	/* The ring has come round, or a head is known that was past this one. */
	if (class == SCAPH_SLOT_LAPPED || cursor->next_index < cursor->published)
		return true;
	/* Probably a new epoch's, perhaps old bytes put back. */
	if (class == SCAPH_SLOT_FOREIGN &&
	    scaph_since_ns(now_ns, cursor->looked_ns) >= FOREIGN_LOOK_NS)
		return true;
	return scaph_stall_long(&cursor->stall, now_ns, cursor->limit_ns);
}

int scaph_cursor_next(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot,
		      uint64_t *ret_lost)
{
	enum scaph_slot_class class = SCAPH_SLOT_EMPTY;
	bool gap = false;
	int r;

	/* Any look drops the copies; those that verified a head may be of an unproven epoch. */
	if (cursor->att.proven &&
	    scaph_copies_hold(&cursor->copies, SCAPH_BLOCK_FAST, cursor->next_index)) {
		if (scaph_copies_judge(&cursor->copies, cursor->next_index) == SCAPH_SLOT_OK)
			return deliver(cursor, now_ns, ret_slot, ret_lost);
		gap = true;
	}
	if (cursor->pending_epoch) {
		cursor->pending_epoch = false;
		return SCAPH_CURSOR_EPOCH;
	}
	if (!cursor->att.usable || !cursor->att.proven) {
		r = scaph_cursor_prove(cursor, &cursor->stall, now_ns);
		if (r)
			return r;
	}
	if (!cursor->placed && !scaph_cursor_place(cursor, now_ns))
		return behind_head(cursor, now_ns, ret_slot, ret_lost);
	if (!cursor->withheld && cursor->next_index <= SCAPH_INDEX_MAX)
		class = fresh_copy(cursor, now_ns, gap);
	if (class == SCAPH_SLOT_OK)
		return deliver(cursor, now_ns, ret_slot, ret_lost);
	scaph_stall_miss(&cursor->stall, now_ns, cursor->limit_ns);
	if (!look_is_due(cursor, class, now_ns))
		return SCAPH_CURSOR_EMPTY;
	return behind_head(cursor, now_ns, ret_slot, ret_lost);
}
