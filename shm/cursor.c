/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor.c - a cursor's attachment to a living epoch: open, prove, change epoch, go stale
 */
#include "shm/cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/seq.h"
#include "shm/cursor_state.h"

#define QUIET_MIN_NS 250000000ULL
#define REOPEN_NS 2000000000ULL
#define UNPROVEN_REOPEN_NS 1000000000ULL
#define UNPROVEN_DUE_MIN_NS 5000000ULL
#define UNPROVEN_DUE_MAX_NS 50000000ULL
#define PASSING_NS 1000000000ULL /* a writer puts its descriptor right once a second */

int scaph_cursor_open(const char *path, enum scaph_mode mode, uint64_t now_ns,
		      struct scaph_cursor **ret_cursor)
{
	struct scaph_cursor *cursor = calloc(1, sizeof(*cursor));
	int r = -ENOMEM;

	if (!cursor)
		return -ENOMEM;
	cursor->att.access = SCAPH_ACCESS_NULL;
	cursor->next_index = SCAPH_CURSOR_NOWHERE;
	cursor->limit_ns = QUIET_MIN_NS;
	cursor->path = strdup(path);
	if (cursor->path)
		r = scaph_attachment_open(&cursor->att, cursor->path, mode, now_ns);
	if (r < 0) {
		scaph_cursor_free(cursor);
		return r;
	}
	scaph_stall_progress(&cursor->stall, now_ns);
	scaph_stall_progress(&cursor->grown_stall, now_ns);
	scaph_cursor_look(cursor, now_ns);
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

/*
 * Rule 3: the very first epoch is entered at its newest record; one met while running where it was
 * left, or at its first record.
 */
static void enter_epoch(struct scaph_cursor *cursor, bool first, uint64_t left_epoch_id,
			uint64_t now_ns)
{
	struct scaph_attachment *att = &cursor->att;
	uint64_t place = 0;
	bool known;

	cursor->limit_ns = 3 * att->desc.window_ns;
	if (cursor->limit_ns < QUIET_MIN_NS)
		cursor->limit_ns = QUIET_MIN_NS;
	cursor->newest.seq = 0;
	cursor->withheld = att->desc.profile == SCAPH_PROFILE_OFF;
	cursor->published = 0;
	cursor->landed_index = 0;
	cursor->due_index = 0;
	cursor->jump_shift = 3;
	cursor->ahead = 1;
	cursor->seen = false;
	scaph_pace_reset(&cursor->pace);
	scaph_stall_progress(&cursor->stall, now_ns);
	scaph_stall_progress(&cursor->grown_stall, now_ns);
	if (first) {
		/* If its head does not verify now, the next look tries again. */
		scaph_cursor_place(cursor, now_ns);
		return;
	}
	known = scaph_epochs_recall(&cursor->epochs, att->desc.epoch_id, &place);
	/* A place that was never found is not worth remembering. */
	if (cursor->placed)
		scaph_epochs_remember(&cursor->epochs, left_epoch_id, cursor->next_index);
	att->head_must_move = known && !cursor->withheld;
	cursor->next_index = place;
	cursor->placed = true;
	cursor->counts.epochs++;
}

enum scaph_look scaph_cursor_look(struct scaph_cursor *cursor, uint64_t now_ns)
{
	uint64_t left_epoch_id = cursor->att.desc.epoch_id;
	bool first = !cursor->att.attached;
	enum scaph_look found;

	scaph_copies_drop(&cursor->copies);
	cursor->watch_newest.seq = 0;
	cursor->watch_next.seq = 0;
	found = scaph_attachment_look(&cursor->att, now_ns);
	cursor->looked_ns = now_ns;
	if (found == SCAPH_LOOK_SAME || found == SCAPH_LOOK_EPOCH) {
		cursor->nothing = false;
	} else if (!cursor->nothing) {
		cursor->nothing = true;
		cursor->nothing_ns = now_ns;
	}
	if (found == SCAPH_LOOK_EPOCH)
		enter_epoch(cursor, first, left_epoch_id, now_ns);
	return found == SCAPH_LOOK_EPOCH && first ? SCAPH_LOOK_SAME : found;
}

/* Whether what was found is a reason to say no, rather than to wait. */
static bool refused(const struct scaph_cursor *cursor, enum scaph_look found, uint64_t now_ns)
{
	uint64_t lasted_ns = scaph_since_ns(now_ns, cursor->nothing_ns);

	if (found == SCAPH_LOOK_PASSING)
		return !cursor->was_live && lasted_ns >= PASSING_NS;
	if (found != SCAPH_LOOK_NOTHING)
		return false;
	/*
	 * What was live may come back as it was; a file that is gone is a silence, not a refusal.
	 */
	return !cursor->was_live || (cursor->att.access.fd >= 0 && lasted_ns >= REOPEN_NS);
}

int scaph_cursor_quiet(struct scaph_cursor *cursor, struct scaph_stall *stall,
		       enum scaph_look found, uint64_t now_ns)
{
	struct scaph_attachment *att = &cursor->att;

	scaph_stall_miss(stall, now_ns, cursor->limit_ns);
	if (!scaph_stall_sure(stall, now_ns, cursor->limit_ns))
		return SCAPH_CURSOR_EMPTY;
	if (scaph_attachment_thawed(att))
		return SCAPH_CURSOR_EMPTY;
	if (scaph_since_ns(now_ns, stall->progress_ns) >= REOPEN_NS)
		scaph_attachment_reopen(att, now_ns);
	return refused(cursor, found, now_ns) ? SCAPH_CURSOR_REFUSED : SCAPH_CURSOR_STALE;
}

int scaph_cursor_withheld(struct scaph_cursor *cursor, struct scaph_stall *stall,
			  enum scaph_look found, uint64_t now_ns)
{
	uint64_t moved_ns = cursor->att.moved_ns;

	if (found != SCAPH_LOOK_SAME || moved_ns <= stall->progress_ns)
		return scaph_cursor_quiet(cursor, stall, found, now_ns);
	scaph_stall_progress(stall, moved_ns);
	return SCAPH_CURSOR_EMPTY;
}

int scaph_cursor_prove(struct scaph_cursor *cursor, struct scaph_stall *stall, uint64_t now_ns)
{
	struct scaph_attachment *att = &cursor->att;
	bool proven = att->proven;
	enum scaph_look found;

	if (att->access.fd < 0)
		scaph_attachment_reopen(att, now_ns);
	found = scaph_cursor_look(cursor, now_ns);
	if (found == SCAPH_LOOK_EPOCH)
		return SCAPH_CURSOR_EPOCH;
	if (found == SCAPH_LOOK_SAME && att->proven) {
		cursor->was_live = true;
		/* Being able to read again is no sign of life: only the proof itself is. */
		if (!proven) {
			scaph_stall_progress(&cursor->stall, now_ns);
			scaph_stall_progress(&cursor->grown_stall, now_ns);
		}
		return 0;
	}
	if (att->proven)
		return scaph_cursor_quiet(cursor, stall, found, now_ns);
	scaph_attachment_thawed(att);
	if (scaph_since_ns(now_ns, att->moved_ns) >= UNPROVEN_REOPEN_NS)
		scaph_attachment_reopen(att, now_ns);
	return refused(cursor, found, now_ns) ? SCAPH_CURSOR_REFUSED : SCAPH_CURSOR_UNPROVEN;
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
	uint64_t stream_ns = cursor->stall.progress_ns;
	uint64_t grown_ns = cursor->grown_stall.progress_ns;

	return stream_ns > grown_ns ? stream_ns : grown_ns;
}

uint64_t scaph_cursor_due_ns(struct scaph_cursor *cursor, uint64_t now_ns, uint64_t batch_ns)
{
	uint64_t window_ns = cursor->att.attached ? cursor->att.desc.window_ns : QUIET_MIN_NS;

	if (cursor->seen)
		scaph_pace_saw(&cursor->pace, cursor->seen_ns, cursor->seen_mono_ns, window_ns);
	cursor->seen = false;
	/* A figure may be waiting for nothing but a second look. */
	if (cursor->att.attached && !cursor->att.proven && window_ns < UNPROVEN_DUE_MAX_NS)
		return now_ns + (window_ns > UNPROVEN_DUE_MIN_NS ? window_ns : UNPROVEN_DUE_MIN_NS);
	return scaph_pace_due_ns(&cursor->pace, now_ns, window_ns, batch_ns);
}
