/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor.c - the reading rules: deliver, lose, change epoch, go stale
 *
 * A run of slots is copied, then judged one by one out of private memory. What is not there is only called lost after the
 * head was seen past it and its slot was read once more. Rule numbers are those of proto/SPEC.md, "Reading".
 */
#include "shm/cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/seq.h"
#include "shm/attachment.h"
#include "shm/epochs.h"
#include "shm/pace.h"

#define QUIET_MIN_NS 250000000ULL
#define REOPEN_NS 2000000000ULL
#define UNPROVEN_REOPEN_NS 1000000000ULL
#define LATEST_TRIES 16
#define AHEAD_MAX 64U

struct scaph_cursor {
	char *path;
	struct scaph_attachment att;
	struct scaph_epochs epochs;
	struct scaph_pace pace;
	struct scaph_cursor_counts counts;
	uint64_t next_index;
	uint64_t progress_ns; /* last record or proof */
	uint64_t latest_head; /* as scaph_cursor_latest() saw it move */
	uint64_t latest_ns;
	bool was_live;
	bool pending_epoch; /* an epoch event found by another call than next() */
	uint32_t ahead;
	struct scaph_run run; /* copies not yet judged; count 0: none */
	uint32_t run_at;
};

int scaph_cursor_open(const char *path, enum scaph_mode mode, uint64_t now_ns,
		      struct scaph_cursor **ret_cursor)
{
	struct scaph_cursor *cursor = calloc(1, sizeof(*cursor));
	int r;

	if (!cursor)
		return -ENOMEM;
	cursor->path = strdup(path);
	cursor->ahead = 1;
	cursor->att.access.fd = -1;
	r = cursor->path ? scaph_attachment_open(&cursor->att, cursor->path, mode, now_ns)
			 : -ENOMEM;
	if (r < 0) {
		scaph_cursor_free(cursor);
		return r;
	}
	cursor->progress_ns = now_ns;
	*ret_cursor = cursor;
	return 0;
}

struct scaph_cursor *scaph_cursor_free(struct scaph_cursor *cursor)
{
	if (!cursor)
		return NULL;
	scaph_attachment_close(&cursor->att);
	free(cursor->path);
	free(cursor);
	return NULL;
}

static uint64_t quiet_limit_ns(const struct scaph_cursor *cursor)
{
	uint64_t three_ns = 3 * cursor->att.desc.window_ns;

	return three_ns > QUIET_MIN_NS ? three_ns : QUIET_MIN_NS;
}

static bool withheld(const struct scaph_cursor *cursor)
{
	return cursor->att.desc.profile == SCAPH_PROFILE_OFF;
}

static void drop_run(struct scaph_cursor *cursor)
{
	cursor->run.count = 0;
	cursor->run_at = 0;
}

/* Rule 3: an epoch met while running starts where it was left, or at its first record; the very first at its newest. */
static void enter_epoch(struct scaph_cursor *cursor, uint64_t left_epoch_id, bool first,
			uint64_t now_ns)
{
	const struct scaph_attachment *att = &cursor->att;

	drop_run(cursor);
	scaph_pace_reset(&cursor->pace);
	cursor->latest_head = 0;
	cursor->progress_ns = now_ns;
	if (first) {
		bool any = att->head.fast_head != scaph_seq_before_first(att->tag);

		cursor->next_index = any ? scaph_seq_index(att->head.fast_head) : 0;
		return;
	}
	scaph_epochs_remember(&cursor->epochs, left_epoch_id, cursor->next_index);
	cursor->next_index = scaph_epochs_recall(&cursor->epochs, att->desc.epoch_id);
	cursor->counts.epochs++;
}

static enum scaph_look look(struct scaph_cursor *cursor, uint64_t now_ns)
{
	uint64_t left_epoch_id = cursor->att.desc.epoch_id;
	bool first = !cursor->att.attached;
	enum scaph_look found = scaph_attachment_look(&cursor->att, now_ns);

	drop_run(cursor);
	if (found == SCAPH_LOOK_EPOCH) {
		enter_epoch(cursor, left_epoch_id, first, now_ns);
		if (first)
			found = SCAPH_LOOK_SAME;
	}
	return found;
}

/* Rule 2: no figure before something moved. 0: proven now; else the event. */
static int prove(struct scaph_cursor *cursor, uint64_t now_ns)
{
	struct scaph_attachment *att = &cursor->att;
	enum scaph_look found;

	if (att->access.fd < 0 && now_ns - att->opened_ns >= QUIET_MIN_NS)
		scaph_attachment_reopen(att, now_ns);
	found = look(cursor, now_ns);
	if (found == SCAPH_LOOK_EPOCH)
		return SCAPH_CURSOR_EPOCH;
	if (att->usable && att->proven) {
		cursor->progress_ns = now_ns;
		cursor->was_live = true;
		return 0;
	}
	scaph_attachment_thawed(att);
	if (now_ns - att->opened_ns >= UNPROVEN_REOPEN_NS &&
	    now_ns - att->moved_ns >= UNPROVEN_REOPEN_NS)
		scaph_attachment_reopen(att, now_ns);
	if (found == SCAPH_LOOK_NOTHING)
		return cursor->was_live ? SCAPH_CURSOR_STALE : SCAPH_CURSOR_REFUSED;
	return SCAPH_CURSOR_UNPROVEN;
}

/* A fresh copy from the cursor on; 0 or a negative errno, which means that the mapping or file is gone. */
static int fetch(struct scaph_cursor *cursor, uint64_t index, uint32_t want)
{
	struct scaph_attachment *att = &cursor->att;
	uint32_t first = (uint32_t)(index & (att->geometry.fast.count - 1));
	int r = att->access.ops->slots(&att->access, &att->geometry.fast, first, want,
				       &cursor->run);

	cursor->run_at = 0;
	if (r < 0) {
		drop_run(cursor);
		att->usable = false;
	}
	return r;
}

/* Judge copy number @at of the run, as record @index. */
static enum scaph_slot_class judge(struct scaph_cursor *cursor, uint32_t at, uint64_t index,
				   struct scaph_slot *to)
{
	memcpy(to, cursor->run.bytes + (uint64_t)at * cursor->run.stride, sizeof(*to));
	return scaph_slot_classify(to, cursor->att.tag, index, cursor->att.fast_prefix);
}

static int deliver(struct scaph_cursor *cursor, uint64_t now_ns, const struct scaph_slot *slot,
		   struct scaph_slot *ret_slot, uint64_t *ret_lost)
{
	cursor->next_index++;
	cursor->run_at++;
	if (cursor->run_at >= cursor->run.count)
		drop_run(cursor);
	cursor->progress_ns = now_ns;
	scaph_pace_saw(&cursor->pace, now_ns, slot->mono_ns, cursor->att.desc.window_ns);
	if (!scaph_slot_usable(slot)) {
		/* An unknown critical flag: there, but not for this reader. */
		cursor->counts.lost++;
		*ret_lost = 1;
		return SCAPH_CURSOR_LOST;
	}
	cursor->counts.delivered++;
	*ret_slot = *slot;
	return SCAPH_CURSOR_RECORD;
}

static uint32_t expected_slots(struct scaph_cursor *cursor, uint64_t now_ns)
{
	if (scaph_access_mode(&cursor->att.access) == SCAPH_MODE_COHERENT)
		return cursor->ahead;
	return (uint32_t)((now_ns - cursor->progress_ns) / cursor->att.desc.window_ns %
			  SCAPH_RING_SLOTS_MAX) +
	       2;
}

/* Rule 6: no progress; 0 when a look behind the head is due only later. */
static int quiet(struct scaph_cursor *cursor, uint64_t now_ns)
{
	struct scaph_attachment *att = &cursor->att;

	if (now_ns - cursor->progress_ns < quiet_limit_ns(cursor))
		return SCAPH_CURSOR_EMPTY;
	if (withheld(cursor) && now_ns - att->moved_ns < quiet_limit_ns(cursor))
		return SCAPH_CURSOR_EMPTY;
	if (scaph_attachment_thawed(att))
		return SCAPH_CURSOR_EMPTY;
	if (now_ns - cursor->progress_ns >= REOPEN_NS && now_ns - att->opened_ns >= REOPEN_NS)
		scaph_attachment_reopen(att, now_ns);
	return SCAPH_CURSOR_STALE;
}

/*
 * Rule 5, first half: the head is a hint until its own slot verifies, else a scribbled head would make us skip what is there.
 * A slot that has gone on beyond the head's record verifies it too.
 */
static bool head_verifies(struct scaph_cursor *cursor, uint64_t head_index)
{
	uint64_t in_place = cursor->att.geometry.fast.count - 1;

	for (int try = 0; try < LATEST_TRIES; try++) {
		struct scaph_slot slot;
		enum scaph_slot_class class;

		if (fetch(cursor, head_index, 1) < 0)
			return false;
		class = judge(cursor, 0, head_index, &slot);
		if (class == SCAPH_SLOT_OK)
			return true;
		if (class == SCAPH_SLOT_LAPPED)
			return ((scaph_seq_index(slot.seq) ^ head_index) & in_place) == 0;
		if (class != SCAPH_SLOT_BUSY)
			return false;
		cursor->counts.retries++;
	}
	return false;
}

/* Count what is gone: from the cursor to the next record that is there, or to a safe place if the ring has come round. */
static int lose(struct scaph_cursor *cursor, uint64_t now_ns, uint64_t head_index,
		uint64_t *ret_lost)
{
	uint64_t count = cursor->att.geometry.fast.count;
	uint64_t from = cursor->next_index, to = from + 1;
	struct scaph_slot slot;

	if (head_index - from >= count) {
		to = head_index - count + 1 + count / 8;
		if (to > head_index)
			to = head_index;
	} else if (to <= head_index && fetch(cursor, to, (uint32_t)(head_index - to + 1)) == 0) {
		for (uint32_t i = 0; i < cursor->run.count && to <= head_index; i++, to++) {
			if (judge(cursor, i, to, &slot) == SCAPH_SLOT_OK)
				break;
		}
	}
	drop_run(cursor);
	cursor->next_index = to;
	cursor->progress_ns = now_ns; /* the writer went past: a sign of life */
	cursor->counts.lost += to - from;
	*ret_lost = to - from;
	return SCAPH_CURSOR_LOST;
}

/* Rules 4 and 5: descriptor and head again; then, behind the head, the slot again; only then is anything lost. */
static int behind_head(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot,
		       uint64_t *ret_lost)
{
	struct scaph_attachment *att = &cursor->att;
	enum scaph_look found = look(cursor, now_ns);
	struct scaph_slot slot;
	uint64_t head_index;

	if (found == SCAPH_LOOK_EPOCH)
		return SCAPH_CURSOR_EPOCH;
	if (found == SCAPH_LOOK_NOTHING || att->head.fast_head == scaph_seq_before_first(att->tag))
		return quiet(cursor, now_ns);
	head_index = scaph_seq_index(att->head.fast_head);
	if (head_index < cursor->next_index || !head_verifies(cursor, head_index))
		return quiet(cursor, now_ns);
	if (fetch(cursor, cursor->next_index, 1) < 0)
		return quiet(cursor, now_ns);
	if (judge(cursor, 0, cursor->next_index, &slot) == SCAPH_SLOT_OK)
		return deliver(cursor, now_ns, &slot, ret_slot, ret_lost);
	return lose(cursor, now_ns, head_index, ret_lost);
}

/* The next copy: out of the run, or freshly. In snapshot mode one run is one look: its first gap ends it. */
static enum scaph_slot_class next_copy(struct scaph_cursor *cursor, uint64_t now_ns,
				       struct scaph_slot *to)
{
	enum scaph_slot_class class;

	if (cursor->run.count) {
		class = judge(cursor, cursor->run_at, cursor->next_index, to);
		if (class == SCAPH_SLOT_OK)
			return class;
		drop_run(cursor);
		cursor->ahead = 1;
		if (scaph_access_mode(&cursor->att.access) == SCAPH_MODE_SNAPSHOT)
			return SCAPH_SLOT_EMPTY;
	}
	if (fetch(cursor, cursor->next_index, expected_slots(cursor, now_ns)) < 0)
		return SCAPH_SLOT_EMPTY;
	class = judge(cursor, 0, cursor->next_index, to);
	if (class != SCAPH_SLOT_OK)
		drop_run(cursor);
	else if (cursor->ahead < AHEAD_MAX)
		cursor->ahead *= 2;
	return class;
}

int scaph_cursor_next(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot,
		      uint64_t *ret_lost)
{
	enum scaph_slot_class class = SCAPH_SLOT_EMPTY;
	struct scaph_slot slot;
	int r;

	if (cursor->pending_epoch) {
		cursor->pending_epoch = false;
		return SCAPH_CURSOR_EPOCH;
	}
	if (!cursor->att.usable || !cursor->att.proven) {
		r = prove(cursor, now_ns);
		if (r)
			return r;
	}
	if (!withheld(cursor))
		class = next_copy(cursor, now_ns, &slot);
	if (class == SCAPH_SLOT_OK)
		return deliver(cursor, now_ns, &slot, ret_slot, ret_lost);
	/* A later number in the slot says that the ring has come round: look behind the head at once. */
	if (class != SCAPH_SLOT_LAPPED && now_ns - cursor->progress_ns < quiet_limit_ns(cursor))
		return SCAPH_CURSOR_EMPTY;
	return behind_head(cursor, now_ns, ret_slot, ret_lost);
}

/* For latest(): the head stands still, or is of another epoch. */
static int latest_quiet(struct scaph_cursor *cursor, uint64_t now_ns)
{
	if (look(cursor, now_ns) == SCAPH_LOOK_EPOCH) {
		cursor->pending_epoch = true;
		return SCAPH_CURSOR_UNPROVEN;
	}
	if (withheld(cursor) && now_ns - cursor->att.moved_ns < quiet_limit_ns(cursor))
		return SCAPH_CURSOR_EMPTY;
	if (scaph_attachment_thawed(&cursor->att))
		return SCAPH_CURSOR_EMPTY;
	if (now_ns - cursor->latest_ns >= REOPEN_NS && now_ns - cursor->att.opened_ns >= REOPEN_NS)
		scaph_attachment_reopen(&cursor->att, now_ns);
	return SCAPH_CURSOR_STALE;
}

int scaph_cursor_latest(struct scaph_cursor *cursor, uint64_t now_ns, struct scaph_slot *ret_slot)
{
	struct scaph_attachment *att = &cursor->att;
	int r;

	if (!att->usable || !att->proven) {
		r = prove(cursor, now_ns);
		if (r == SCAPH_CURSOR_EPOCH)
			cursor->pending_epoch = true;
		if (r)
			return r == SCAPH_CURSOR_EPOCH ? SCAPH_CURSOR_UNPROVEN : r;
		cursor->latest_ns = now_ns;
	}
	drop_run(cursor);
	for (int try = 0; try < LATEST_TRIES; try++) {
		struct scaph_slot slot;
		struct scaph_head head;

		if (att->access.ops->head(&att->access, &head) < 0) {
			att->usable = false;
			return SCAPH_CURSOR_STALE;
		}
		if (head.fast_head != cursor->latest_head) {
			cursor->latest_head = head.fast_head;
			cursor->latest_ns = now_ns;
		} else if (now_ns - cursor->latest_ns >= quiet_limit_ns(cursor)) {
			return latest_quiet(cursor, now_ns);
		}
		if (scaph_seq_tag(head.fast_head) != att->tag || scaph_seq_is_busy(head.fast_head))
			return latest_quiet(cursor, now_ns);
		if (head.fast_head == scaph_seq_before_first(att->tag) || withheld(cursor))
			return SCAPH_CURSOR_EMPTY;
		if (fetch(cursor, scaph_seq_index(head.fast_head), 1) < 0)
			return SCAPH_CURSOR_STALE;
		if (judge(cursor, 0, scaph_seq_index(head.fast_head), &slot) == SCAPH_SLOT_OK &&
		    scaph_slot_usable(&slot)) {
			drop_run(cursor);
			*ret_slot = slot;
			return SCAPH_CURSOR_RECORD;
		}
		cursor->counts.retries++;
	}
	drop_run(cursor);
	return SCAPH_CURSOR_EMPTY;
}

int scaph_cursor_at(struct scaph_cursor *cursor, uint32_t block_type, uint64_t index,
		    struct scaph_slot *ret_slot)
{
	struct scaph_attachment *att = &cursor->att;
	bool fast = block_type == SCAPH_BLOCK_FAST;
	const struct scaph_ring_place *ring = fast ? &att->geometry.fast : &att->geometry.slow;
	struct scaph_slot slot;
	struct scaph_run run;
	int r;

	if (!att->usable || !att->proven || !ring->count || index > SCAPH_INDEX_MAX)
		return SCAPH_CURSOR_EMPTY;
	drop_run(cursor);
	r = att->access.ops->slots(&att->access, ring, (uint32_t)(index & (ring->count - 1)), 1,
				   &run);
	if (r < 0)
		return r;
	memcpy(&slot, run.bytes, sizeof(slot));
	switch (scaph_slot_classify(&slot, att->tag, index,
				    fast ? att->fast_prefix : att->slow_prefix)) {
	case SCAPH_SLOT_OK:
		if (!scaph_slot_usable(&slot))
			return SCAPH_CURSOR_LOST;
		*ret_slot = slot;
		return SCAPH_CURSOR_RECORD;
	case SCAPH_SLOT_LAPPED:
		return SCAPH_CURSOR_LOST;
	default:
		return SCAPH_CURSOR_EMPTY;
	}
}

int scaph_cursor_head(struct scaph_cursor *cursor, uint32_t block_type, uint64_t *ret_index)
{
	struct scaph_attachment *att = &cursor->att;
	struct scaph_head head;
	uint64_t seq;
	int r;

	if (!att->usable || !att->proven)
		return SCAPH_CURSOR_EMPTY;
	drop_run(cursor);
	r = att->access.ops->head(&att->access, &head);
	if (r < 0)
		return r;
	seq = block_type == SCAPH_BLOCK_FAST ? head.fast_head : head.slow_head;
	if (scaph_seq_tag(seq) != att->tag || scaph_seq_is_busy(seq) ||
	    seq == scaph_seq_before_first(att->tag))
		return SCAPH_CURSOR_EMPTY;
	*ret_index = scaph_seq_index(seq);
	return 0;
}

int scaph_cursor_rewind(struct scaph_cursor *cursor)
{
	uint64_t count = cursor->att.geometry.fast.count, index;
	int r = scaph_cursor_head(cursor, SCAPH_BLOCK_FAST, &index);

	if (r)
		return r;
	/* Some slots of room, so that the writer does not come round while we begin. */
	index = index >= count - count / 8 ? index - (count - count / 8) + 1 : 0;
	if (index < cursor->next_index)
		cursor->next_index = index;
	return 0;
}

int scaph_cursor_status(struct scaph_cursor *cursor, struct scaph_status *ret_status)
{
	const uint8_t *prefix;
	int r;

	if (!cursor->att.usable)
		return SCAPH_CURSOR_EMPTY;
	drop_run(cursor);
	r = cursor->att.access.ops->look(&cursor->att.access, &prefix);
	if (r < 0)
		return r;
	if (scaph_status_check(prefix + SCAPH_STATUS_OFFSET, cursor->att.desc.epoch_id,
			       ret_status) != SCAPH_STATUS_OK)
		return SCAPH_CURSOR_EMPTY;
	return 0;
}

const struct scaph_descriptor *scaph_cursor_descriptor(const struct scaph_cursor *cursor)
{
	return cursor->att.attached ? &cursor->att.desc : NULL;
}

bool scaph_cursor_proven(const struct scaph_cursor *cursor)
{
	return cursor->att.usable && cursor->att.proven;
}

enum scaph_mode scaph_cursor_mode(const struct scaph_cursor *cursor)
{
	return cursor->att.access.ops ? scaph_access_mode(&cursor->att.access) : SCAPH_MODE_AUTO;
}

struct scaph_cursor_counts scaph_cursor_counts(const struct scaph_cursor *cursor)
{
	return cursor->counts;
}

const char *scaph_cursor_refusal(const struct scaph_cursor *cursor)
{
	return cursor->att.refusal;
}

uint64_t scaph_cursor_progress_ns(const struct scaph_cursor *cursor)
{
	return cursor->progress_ns;
}

uint64_t scaph_cursor_due_ns(struct scaph_cursor *cursor, uint64_t now_ns, uint64_t batch_ns)
{
	uint64_t window_ns = cursor->att.attached ? cursor->att.desc.window_ns : QUIET_MIN_NS;

	return scaph_pace_due_ns(&cursor->pace, now_ns, window_ns, batch_ns);
}
