/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newest.c - scaph_cursor_latest(): the newest record, the cursor stays
 *
 * Head, then that slot. The head is a hint: what counts as progress is a record with a higher
 * number that verified, so neither a lying head nor old bytes put back pass for life, and the
 * answer never steps back within an epoch.
 */
#include "shm/cursor.h"

#include "proto/seq.h"
#include "shm/cursor_state.h"

#define LATEST_TRIES 16
#define GLANCE_TRIES 4
#define FOREIGN_LOOK_NS 10000000ULL /* between looks that a foreign tag alone asks for */

enum newest {
	NEWEST_OK,
	NEWEST_NONE, /* nothing that verifies, or older than what is known */
	NEWEST_FOREIGN, /* the head is of another epoch */
};

static enum newest keep_newest(struct scaph_cursor *cursor, uint64_t index)
{
	const struct scaph_slot *slot = scaph_copies_slot(&cursor->copies, index);

	if (!scaph_slot_usable(slot))
		return NEWEST_NONE;
	scaph_slot_hand_out(slot, &cursor->newest);
	cursor->newest_count = index + 1;
	return NEWEST_OK;
}

/* NEWEST_OK: cursor->newest is it, whether copied now or before: a verified record never changes. */
static enum newest read_newest(struct scaph_cursor *cursor)
{
	struct scaph_attachment *att = &cursor->att;

	for (int try = 0; try < LATEST_TRIES; try++) {
		enum scaph_slot_class class;
		struct scaph_heads heads;
		uint64_t index;

		if (att->access.ops->heads(&att->access, &heads) < 0)
			return NEWEST_NONE;
		if (heads.fast == cursor->newest.seq && cursor->newest_count == cursor->published)
			return NEWEST_OK;
		if (scaph_seq_tag(heads.fast) != att->tag)
			return NEWEST_FOREIGN;
		if (heads.fast == scaph_seq_before_first(att->tag) || scaph_seq_is_busy(heads.fast))
			return NEWEST_NONE;
		index = scaph_seq_index(heads.fast);
		if (index + 1 < cursor->published)
			return NEWEST_NONE;
		if (scaph_copies_fetch(&cursor->copies, att, SCAPH_BLOCK_FAST, index, 1) < 0)
			return NEWEST_NONE;
		class = scaph_copies_judge(&cursor->copies, index);
		if (class == SCAPH_SLOT_OK)
			return keep_newest(cursor, index);
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
		return scaph_cursor_withheld(cursor, &cursor->grown_stall, found, now_ns);
	return scaph_cursor_quiet(cursor, &cursor->grown_stall, found, now_ns);
}

/* The newest record, when it is news. */
static void came(struct scaph_cursor *cursor, uint64_t now_ns)
{
	scaph_cursor_verified(cursor, cursor->newest_count - 1, now_ns);
	cursor->seen = true;
	cursor->seen_ns = now_ns;
	cursor->seen_mono_ns = cursor->newest.mono_ns;
}

/* From now on a head that stays as it is says it all; where looking at it is no system call. */
static void watch_newest(struct scaph_cursor *cursor)
{
	if (scaph_access_mode(&cursor->att.access) != SCAPH_MODE_COHERENT)
		return;
	cursor->watch_newest = (struct scaph_watch){
		.guard = &cursor->att.access.guard,
		.offset = SCAPH_HEAD_OFFSET + offsetof(struct scaph_head, fast_head),
		.seq = cursor->newest.seq,
	};
}

static int answer(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot)
{
	if (cursor->newest_count > cursor->published) {
		came(cursor, now_ns);
	} else {
		scaph_stall_miss(&cursor->grown_stall, now_ns, cursor->limit_ns);
		if (scaph_stall_long(&cursor->grown_stall, now_ns, cursor->limit_ns))
			return look_again(cursor, now_ns);
	}
	watch_newest(cursor);
	scaph_slot_hand_out(&cursor->newest, ret_slot);
	return SCAPH_CURSOR_RECORD;
}

/* What the rest of the cursor needs of a record that was taken as figures. */
static void keep_figures(struct scaph_cursor *cursor, const struct scaph_figures *figures)
{
	cursor->newest = (struct scaph_slot){
		.seq = scaph_seq_complete(cursor->att.tag, figures->number),
		.mono_ns = figures->mono_ns,
		.package_uj = figures->package_uj,
		.core_uj = figures->core_uj,
		.dram_uj = figures->dram_uj,
		.idle_uj = figures->idle_uj,
		.cpu_ns = figures->cpu_ns,
		.breaks = (uint16_t)figures->breaks,
		.flags = (uint16_t)figures->flags,
	};
	cursor->newest_count = figures->number + 1;
}

bool scaph_cursor_glance(struct scaph_cursor *cursor, uint64_t now_ns,
			 struct scaph_figures *ret_figures)
{
	struct scaph_attachment *att = &cursor->att;
	struct scaph_take take = {
		.ring = &att->geometry.fast,
		.epoch_id = att->desc.epoch_id,
		.prefix = att->fast_prefix,
		.room = 1,
	};

	/* Only where it is watched already is all known to be well. */
	if (!cursor->watch_newest.seq)
		return false;
	for (int try = 0; try < GLANCE_TRIES; try++) {
		uint64_t head = scaph_watch_load(&cursor->watch_newest);

		/* Another epoch's, busy, or old bytes put back: not for here. */
		if (scaph_seq_tag(head) != att->tag || scaph_seq_is_busy(head) ||
		    head <= scaph_seq_complete(att->tag, cursor->published - 1))
			return false;
		take.index = scaph_seq_index(head);
		if (take.index > SCAPH_INDEX_MAX)
			return false;
		if (att->access.ops->take(&att->access, &take, ret_figures)) {
			keep_figures(cursor, ret_figures);
			came(cursor, now_ns);
			watch_newest(cursor);
			return true;
		}
		cursor->counts.retries++;
	}
	return false;
}

const struct scaph_watch *scaph_cursor_watch_newest(const struct scaph_cursor *cursor)
{
	return &cursor->watch_newest;
}

int scaph_cursor_latest(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot)
{
	enum newest newest = NEWEST_NONE;
	int r;

	scaph_copies_drop(&cursor->copies);
	if (!cursor->att.usable || !cursor->att.proven) {
		r = scaph_cursor_prove(cursor, &cursor->grown_stall, now_ns);
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
	scaph_stall_miss(&cursor->grown_stall, now_ns, cursor->limit_ns);
	if (scaph_stall_long(&cursor->grown_stall, now_ns, cursor->limit_ns) ||
	    (newest == NEWEST_FOREIGN &&
	     scaph_since_ns(now_ns, cursor->looked_ns) >= FOREIGN_LOOK_NS))
		return look_again(cursor, now_ns);
	return SCAPH_CURSOR_EMPTY;
}
