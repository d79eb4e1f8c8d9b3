/* SPDX-License-Identifier: Apache-2.0 */
/*
 * take.c - scaph_cursor_take(): records in order, as long as they are simply there
 *
 * The short way of a reader that keeps up: no look at the head, no clock, nothing per record but its line and its checksum.
 * It delivers what scaph_cursor_next() would deliver one by one, and judges nothing else: what is not plainly the next record
 * ends it.
 */
#include "shm/cursor.h"

#include "proto/seq.h"
#include "shm/cursor_state.h"

static uint32_t take_copies(struct scaph_cursor *cursor, struct scaph_figures *ret_figures,
			    uint32_t room)
{
	uint32_t taken = 0;

	for (; taken < room; taken++) {
		uint64_t index = cursor->next_index + taken;
		const struct scaph_slot *slot;

		if (!scaph_copies_hold(&cursor->copies, SCAPH_BLOCK_FAST, index) ||
		    scaph_copies_judge(&cursor->copies, index) != SCAPH_SLOT_OK)
			break;
		slot = scaph_copies_slot(&cursor->copies, index);
		if (!scaph_slot_usable(slot))
			break;
		scaph_figures_decode(&ret_figures[taken], cursor->att.desc.epoch_id, index,
				     (const uint64_t *)slot);
	}
	return taken;
}

/* The slot where the next record belongs; where looking at it is no system call. */
static void watch_next(struct scaph_cursor *cursor)
{
	const struct scaph_ring_place *ring = &cursor->att.geometry.fast;
	uint64_t index = cursor->next_index;

	if (scaph_access_mode(&cursor->att.access) != SCAPH_MODE_COHERENT)
		return;
	cursor->watch_next = (struct scaph_watch){
		.guard = &cursor->att.access.guard,
		.offset = ring->offset + (index & (ring->count - 1)) * ring->stride,
		.seq = scaph_seq_complete(cursor->att.tag, index),
	};
}

static inline void took(struct scaph_cursor *cursor, uint64_t now_ns, uint32_t count,
			uint64_t mono_ns)
{
	scaph_cursor_verified(cursor, cursor->next_index + count - 1, now_ns);
	scaph_stall_progress(&cursor->stall, now_ns);
	cursor->next_index += count;
	cursor->counts.delivered += count;
	cursor->seen = true;
	cursor->seen_ns = now_ns;
	cursor->seen_mono_ns = mono_ns;
}

uint32_t scaph_cursor_take(struct scaph_cursor *cursor, uint64_t now_ns,
			   struct scaph_figures *ret_figures, uint32_t room)
{
	struct scaph_attachment *att = &cursor->att;
	const struct scaph_take take = {
		.ring = &att->geometry.fast,
		.epoch_id = att->desc.epoch_id,
		.prefix = att->fast_prefix,
		.index = cursor->next_index,
		.room = room,
	};
	uint32_t taken;

	if (!att->usable || !att->proven || !cursor->placed || cursor->withheld ||
	    cursor->pending_epoch || cursor->next_index + room > SCAPH_INDEX_MAX)
		return 0;
	taken = att->access.ops->take ? att->access.ops->take(&att->access, &take, ret_figures)
				      : take_copies(cursor, ret_figures, room);
	if (taken)
		took(cursor, now_ns, taken, ret_figures[taken - 1].mono_ns);
	watch_next(cursor);
	return taken;
}

bool scaph_cursor_take_watched(struct scaph_cursor *cursor, uint64_t now_ns,
			       struct scaph_figures *ret_figures)
{
	const struct scaph_ring_place *ring = &cursor->att.geometry.fast;
	struct scaph_watch *watch = &cursor->watch_next;

	if (!watch->seq ||
	    !scaph_access_take_watched(watch, cursor->att.fast_prefix, cursor->att.desc.epoch_id,
				       cursor->next_index, ret_figures))
		return false;
	took(cursor, now_ns, 1, ret_figures->mono_ns);
	watch->seq += 2;
	watch->offset += ring->stride;
	if (!(cursor->next_index & (ring->count - 1)))
		watch->offset = ring->offset;
	if (cursor->next_index > SCAPH_INDEX_MAX)
		watch->seq = 0;
	return true;
}

bool scaph_cursor_ran_out(const struct scaph_cursor *cursor)
{
	const struct scaph_copies *copies = &cursor->copies;

	return scaph_access_mode(&cursor->att.access) == SCAPH_MODE_SNAPSHOT && copies->run.count &&
	       cursor->next_index == copies->first_index + copies->run.count;
}

const struct scaph_watch *scaph_cursor_watch_next(const struct scaph_cursor *cursor)
{
	return &cursor->watch_next;
}

static void date(struct scaph_stall *stall, uint64_t read_ns, uint64_t at_ns)
{
	if (stall->progress_ns == read_ns)
		stall->progress_ns = at_ns;
}

void scaph_cursor_date(struct scaph_cursor *cursor, uint64_t read_ns, uint64_t at_ns)
{
	date(&cursor->stall, read_ns, at_ns);
	date(&cursor->grown_stall, read_ns, at_ns);
	/* Too rough to learn the writer's pace from. */
	cursor->seen = false;
}
