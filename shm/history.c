/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history.c - what the rings and the status block hold besides the stream's next record
 */
#include "shm/cursor.h"

#include <errno.h>
#include <string.h>

#include "proto/seq.h"
#include "shm/cursor_state.h"

#define STATUS_TRIES 4
#define BEHIND_SLOTS 64U /* one 4 KiB block: whoever asks for one record asks for its neighbours */

static bool readable(const struct scaph_cursor *cursor, uint32_t block_type)
{
	const struct scaph_geometry *geometry = &cursor->att.geometry;

	if (!cursor->att.usable || !cursor->att.proven)
		return false;
	return block_type == SCAPH_BLOCK_FAST ||
	       (block_type == SCAPH_BLOCK_SLOW && geometry->slow.count);
}

int scaph_cursor_head(struct scaph_cursor *cursor, uint32_t block_type, uint64_t *ret_index)
{
	struct scaph_attachment *att = &cursor->att;
	struct scaph_heads heads;
	uint64_t seq;
	int r;

	if (!readable(cursor, block_type))
		return SCAPH_CURSOR_EMPTY;
	scaph_copies_drop(&cursor->copies);
	r = att->access.ops->heads(&att->access, &heads);
	if (r < 0)
		return r;
	seq = block_type == SCAPH_BLOCK_FAST ? heads.fast : heads.slow;
	if (scaph_seq_tag(seq) != att->tag || scaph_seq_is_busy(seq) ||
	    seq == scaph_seq_before_first(att->tag))
		return SCAPH_CURSOR_EMPTY;
	*ret_index = scaph_seq_index(seq);
	return 0;
}

int scaph_cursor_at(struct scaph_cursor *cursor, uint32_t block_type, uint64_t index,
		    struct scaph_slot *ret_slot)
{
	struct scaph_copies *copies = &cursor->copies;
	const struct scaph_slot *slot;
	uint64_t head_index;
	int r;

	if (!readable(cursor, block_type) || index > SCAPH_INDEX_MAX)
		return SCAPH_CURSOR_EMPTY;
	if (!scaph_copies_hold(copies, block_type, index) ||
	    scaph_copies_judge(copies, index) != SCAPH_SLOT_OK) {
		/*
		 * Behind the head, as in the stream: only a copy made after it says that there is
		 * none.
		 */
		r = scaph_cursor_head(cursor, block_type, &head_index);
		if (r)
			return r;
		if (index > head_index)
			return SCAPH_CURSOR_EMPTY;
		r = scaph_copies_fetch(copies, &cursor->att, block_type, index, BEHIND_SLOTS);
		if (r < 0)
			return r;
		if (scaph_copies_judge(copies, index) != SCAPH_SLOT_OK)
			return SCAPH_CURSOR_LOST;
	}
	slot = scaph_copies_slot(copies, index);
	if (!scaph_slot_usable(slot))
		return SCAPH_CURSOR_LOST;
	scaph_slot_hand_out(slot, ret_slot);
	return SCAPH_CURSOR_RECORD;
}

int scaph_cursor_rewind(struct scaph_cursor *cursor)
{
	uint64_t room, index, count = cursor->att.geometry.fast.count;
	int r = scaph_cursor_head(cursor, SCAPH_BLOCK_FAST, &index);

	if (r)
		return r;
	/* Some slots of room, so that the writer does not come round while we begin. */
	room = count - count / 8;
	index = index >= room ? index - room + 1 : 0;
	if (cursor->placed && index >= cursor->next_index)
		return 0;
	cursor->next_index = index;
	cursor->due_index = 0;
	cursor->watch_next.seq = 0;
	cursor->landed_index = index;
	cursor->placed = true;
	return 0;
}

int scaph_cursor_status(struct scaph_cursor *cursor, struct scaph_status *ret_status)
{
	struct scaph_access *access = &cursor->att.access;
	const uint8_t *prefix;

	if (!cursor->att.usable)
		return SCAPH_CURSOR_EMPTY;
	scaph_copies_drop(&cursor->copies);
	for (int try = 0; try < STATUS_TRIES; try++) {
		int r = access->ops->look(access, &prefix);

		if (r < 0)
			return r;
		if (scaph_status_check(prefix + SCAPH_STATUS_OFFSET, cursor->att.desc.epoch_id,
				       ret_status) == SCAPH_STATUS_OK)
			return 0;
	}
	return SCAPH_CURSOR_EMPTY;
}
