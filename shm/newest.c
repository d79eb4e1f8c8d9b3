/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newest.c - scaph_cursor_latest(): the newest record, the cursor stays
 *
 * Head, then that slot. The head is a hint: what counts as progress is a record with a higher number
 * that verified, so neither a lying head nor old bytes put back pass for life, and the answer never
 * steps back within an epoch.
 */
#include "shm/cursor.h"

#include "proto/seq.h"
#include "shm/cursor_state.h"

#define LATEST_TRIES 16
#define FOREIGN_LOOK_NS 10000000ULL /* between looks that a foreign tag alone asks for */

enum newest {
	NEWEST_OK,
	NEWEST_NONE, /* nothing that verifies, or older than what is known */
	NEWEST_FOREIGN, /* the head is of another epoch */
};

/* How many records of this epoch are known to have been published. */
static uint64_t known_records(const struct scaph_cursor *cursor)
{
	uint64_t known = cursor->published;

	if (cursor->placed && cursor->next_index > known)
		known = cursor->next_index;
	if (cursor->has_newest && cursor->newest_index >= known)
		known = cursor->newest_index + 1;
	return known;
}

/* NEWEST_OK: it is the first of the copies. */
static enum newest read_newest(struct scaph_cursor *cursor)
{
	struct scaph_attachment *att = &cursor->att;

	for (int try = 0; try < LATEST_TRIES; try++) {
		enum scaph_slot_class class;
		struct scaph_heads heads;
		uint64_t index;

		if (att->access.ops->heads(&att->access, &heads) < 0)
			return NEWEST_NONE;
		if (scaph_seq_tag(heads.fast) != att->tag)
			return NEWEST_FOREIGN;
		if (heads.fast == scaph_seq_before_first(att->tag) || scaph_seq_is_busy(heads.fast))
			return NEWEST_NONE;
		index = scaph_seq_index(heads.fast);
		if (index + 1 < known_records(cursor))
			return NEWEST_NONE;
		if (scaph_copies_fetch(&cursor->copies, att, SCAPH_BLOCK_FAST, index, 1) < 0)
			return NEWEST_NONE;
		class = scaph_copies_judge(&cursor->copies, index);
		if (class == SCAPH_SLOT_OK)
			return scaph_slot_usable(scaph_copies_slot(&cursor->copies, index)) ?
				       NEWEST_OK :
				       NEWEST_NONE;
		/* Overwritten meanwhile, or a torn copy; anything else does not pass by itself. */
		if (class != SCAPH_SLOT_LAPPED && class != SCAPH_SLOT_BUSY &&
		    class != SCAPH_SLOT_BAD)
			return NEWEST_NONE;
		cursor->counts.retries++;
	}
	return NEWEST_NONE;
}

/* Nothing new: rule 6, with latest()'s own silence. */
static int look_again(struct scaph_cursor *cursor, uint64_t now_ns)
{
	enum scaph_look found = scaph_cursor_look(cursor, now_ns);

	if (found == SCAPH_LOOK_EPOCH) {
		cursor->pending_epoch = true;
		return SCAPH_CURSOR_UNPROVEN;
	}
	if (cursor->withheld)
		return scaph_cursor_withheld(cursor, &cursor->newest_stall, found, now_ns);
	return scaph_cursor_quiet(cursor, &cursor->newest_stall, found, now_ns);
}

static int answer(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot)
{
	uint64_t index = cursor->copies.first_index;
	const struct scaph_slot *slot = scaph_copies_slot(&cursor->copies, index);

	if (!cursor->has_newest || index > cursor->newest_index) {
		cursor->newest_index = index;
		cursor->has_newest = true;
		scaph_stall_progress(&cursor->newest_stall, now_ns);
		cursor->seen = true;
		cursor->seen_ns = now_ns;
		cursor->seen_mono_ns = slot->mono_ns;
	} else {
		scaph_stall_miss(&cursor->newest_stall, now_ns);
		if (scaph_stall_long(&cursor->newest_stall, now_ns, scaph_cursor_limit_ns(cursor)))
			return look_again(cursor, now_ns);
	}
	scaph_slot_hand_out(slot, ret_slot);
	scaph_copies_drop(&cursor->copies);
	return SCAPH_CURSOR_RECORD;
}

int scaph_cursor_latest(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot)
{
	enum newest newest = NEWEST_NONE;
	int r;

	scaph_copies_drop(&cursor->copies);
	if (!cursor->att.usable || !cursor->att.proven) {
		r = scaph_cursor_prove(cursor, &cursor->newest_stall, now_ns);
		if (r == SCAPH_CURSOR_EPOCH) {
			cursor->pending_epoch = true;
			r = SCAPH_CURSOR_UNPROVEN;
		}
		if (r)
			return r;
	}
	if (!cursor->withheld)
		newest = read_newest(cursor);
	if (newest == NEWEST_OK)
		return answer(cursor, now_ns, ret_slot);
	scaph_stall_miss(&cursor->newest_stall, now_ns);
	if (scaph_stall_long(&cursor->newest_stall, now_ns, scaph_cursor_limit_ns(cursor)) ||
	    (newest == NEWEST_FOREIGN &&
	     scaph_since_ns(now_ns, cursor->looked_ns) >= FOREIGN_LOOK_NS))
		return look_again(cursor, now_ns);
	return SCAPH_CURSOR_EMPTY;
}
