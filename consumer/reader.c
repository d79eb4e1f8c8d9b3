/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c - libscaph's reader: a cursor of shm/ in public terms
 *
 * The cursor keeps the reading rules; here are decoding, sums over epochs, waiting and words for reasons.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "consumer/lazy_clock.h"
#include "consumer/reader.h"
#include "consumer/scaph.h"
#include "consumer/span.h"
#include "consumer/timeline.h"
#include "consumer/totals.h"
#include "proto/names.h"
#include "proto/seq.h"
#include "shm/cursor.h"
#include "shm/guard.h"
#include "shm/segment.h"

#define API __attribute__((visibility("default")))
#define NS_PER_S 1000000000ULL
#define ROOM_MAX (1U << 20) /* records at a time: as many as any ring has */

static_assert((int)SCAPH_HAS_PACKAGE == (int)SCAPH_FLAG_PACKAGE &&
		      (int)SCAPH_HAS_CORE == (int)SCAPH_FLAG_CORE,
	      "bits");
static_assert((int)SCAPH_HAS_DRAM == (int)SCAPH_FLAG_DRAM &&
		      (int)SCAPH_HAS_IDLE == (int)SCAPH_FLAG_IDLE,
	      "bits");
static_assert((int)SCAPH_HAS_CPU == (int)SCAPH_FLAG_CPU, "bits");
static_assert((int)SCAPH_IS_ESTIMATED == (int)SCAPH_FLAG_ESTIMATED &&
		      (int)SCAPH_IS_LATE == (int)SCAPH_FLAG_LATE,
	      "bits");
static_assert((int)SCAPH_IS_FILTERED == (int)SCAPH_FLAG_FILTERED, "bits");
static_assert((int)SCAPH_IS_BY_TRAFFIC == (int)SCAPH_FLAG_TRAFFIC, "bits");
static_assert((int)SCAPH_IS_COARSE == (int)SCAPH_FLAG_COARSE &&
		      (int)SCAPH_IS_PRICED == (int)SCAPH_FLAG_PRICED,
	      "bits");
static_assert((int)SCAPH_OPEN_COHERENT == (int)SCAPH_MODE_COHERENT, "modes");
static_assert((int)SCAPH_OPEN_SNAPSHOT == (int)SCAPH_MODE_SNAPSHOT, "modes");

static_assert(sizeof(struct scaph_record) == sizeof(struct scaph_figures) &&
		      offsetof(struct scaph_record, epoch_id) ==
			      offsetof(struct scaph_figures, epoch_id) &&
		      offsetof(struct scaph_record, number) ==
			      offsetof(struct scaph_figures, number) &&
		      offsetof(struct scaph_record, mono_ns) ==
			      offsetof(struct scaph_figures, mono_ns),
	      "a record is decoded in place");
static_assert(
	offsetof(struct scaph_record, package_uj) == offsetof(struct scaph_figures, package_uj) &&
		offsetof(struct scaph_record, core_uj) == offsetof(struct scaph_figures, core_uj) &&
		offsetof(struct scaph_record, dram_uj) == offsetof(struct scaph_figures, dram_uj) &&
		offsetof(struct scaph_record, idle_uj) == offsetof(struct scaph_figures, idle_uj),
	"a record is decoded in place");
static_assert(offsetof(struct scaph_record, cpu_ns) == offsetof(struct scaph_figures, cpu_ns) &&
		      offsetof(struct scaph_record, breaks) ==
			      offsetof(struct scaph_figures, breaks) &&
		      offsetof(struct scaph_record, flags) == offsetof(struct scaph_figures, flags),
	      "a record is decoded in place");

struct scaph_reader {
	struct scaph_cursor *cursor;
	bool history; /* rewind once, at the proof */
	int held; /* a result that scaph_wait() took from the cursor; SCAPH_EMPTY: none */
	struct scaph_record held_record;
	int state; /* last result of scaph_next() or scaph_latest() that was news */
	uint32_t last_flags; /* of the last record delivered by scaph_next(), if there was one */
	bool has_last;
	struct scaph_totals totals;
	const struct scaph_watch *watch_newest;
	const struct scaph_watch *watch_next;
	struct scaph_record latest; /* the record that is watched */
	struct scaph_lazy_clock clock;
	uint64_t undated_ns; /* the old reading at which records were taken; 0: none were */
	char reason[256];
	struct scaph_timeline timeline; /* behind all that the short ways use */
};

struct scaph_cursor *scaph_reader_cursor(struct scaph_reader *reader)
{
	return reader->cursor;
}

struct scaph_timeline *scaph_reader_timeline(struct scaph_reader *reader)
{
	return &reader->timeline;
}

/* A reading of the clock; what was taken at an old one gets its date. */
static uint64_t now_ns(struct scaph_reader *reader)
{
	uint64_t at_ns = scaph_lazy_clock_read(&reader->clock), latest_ns;

	if (reader->undated_ns) {
		latest_ns = reader->undated_ns + SCAPH_LAZY_AGE_MAX_NS;
		scaph_cursor_date(reader->cursor, reader->undated_ns,
				  at_ns < latest_ns ? at_ns : latest_ns);
		reader->undated_ns = 0;
	}
	return at_ns;
}

/* A folder stands for the segment in it. */
static int segment_path(const char *path, char *ret_path, size_t size)
{
	struct stat st;
	int length;

	if (stat(path, &st) < 0)
		return -errno;
	length = snprintf(ret_path, size, S_ISDIR(st.st_mode) ? "%s/" SCAPH_SEGMENT_NAME : "%s",
			  path);
	return length >= (int)size ? -ENAMETOOLONG : 0;
}

API int scaph_open(const char *path, const struct scaph_options *options, struct scaph_reader **ret)
{
	static const struct scaph_options defaults = { .size = sizeof(defaults) };
	struct scaph_reader *reader;
	char file[PATH_MAX];
	int r;

	if (!options)
		options = &defaults;
	if (options->size != sizeof(*options) || options->mode < SCAPH_OPEN_AUTO ||
	    options->mode > SCAPH_OPEN_SNAPSHOT)
		return -EINVAL;
	r = segment_path(path, file, sizeof(file));
	if (r == 0 && options->guard)
		r = scaph_guard_install();
	if (r < 0)
		return r;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->history = options->history;
	reader->held = SCAPH_EMPTY;
	reader->state = SCAPH_UNPROVEN;
	r = scaph_cursor_open(file, (enum scaph_mode)options->mode, now_ns(reader),
			      &reader->cursor);
	if (r < 0) {
		free(reader);
		return r;
	}
	reader->watch_newest = scaph_cursor_watch_newest(reader->cursor);
	reader->watch_next = scaph_cursor_watch_next(reader->cursor);
	*ret = reader;
	return 0;
}

API void scaph_close(struct scaph_reader *reader)
{
	if (!reader)
		return;
	scaph_cursor_free(reader->cursor);
	free(reader);
}

static inline void decode(uint64_t epoch_id, const struct scaph_slot *slot,
			  struct scaph_record *ret)
{
	scaph_figures_decode((struct scaph_figures *)ret, epoch_id, scaph_seq_index(slot->seq),
			     (const uint64_t *)slot);
}

static uint64_t epoch_of(const struct scaph_reader *reader)
{
	return scaph_cursor_descriptor(reader->cursor)->epoch_id;
}

static bool withheld(const struct scaph_reader *reader)
{
	const struct scaph_descriptor *desc = scaph_cursor_descriptor(reader->cursor);

	return desc && desc->profile == SCAPH_PROFILE_OFF;
}

static int result_of(const struct scaph_reader *reader, int event)
{
	switch (event) {
	case SCAPH_CURSOR_RECORD:
		return SCAPH_OK;
	case SCAPH_CURSOR_EMPTY:
		return withheld(reader) ? SCAPH_WITHHELD : SCAPH_EMPTY;
	case SCAPH_CURSOR_LOST:
		return SCAPH_LAPPED;
	case SCAPH_CURSOR_EPOCH:
		return SCAPH_EPOCH;
	case SCAPH_CURSOR_UNPROVEN:
		return SCAPH_UNPROVEN;
	case SCAPH_CURSOR_STALE:
		return SCAPH_STALE;
	case SCAPH_CURSOR_REFUSED:
		return SCAPH_REFUSED;
	default:
		return event;
	}
}

/* The one place that asks the cursor for the newest record: what it then watches is kept decoded. */
static int ask_latest(struct scaph_reader *reader)
{
	struct scaph_slot slot;
	int r = result_of(reader, scaph_cursor_latest(reader->cursor, now_ns(reader), &slot));

	if (r == SCAPH_OK)
		decode(epoch_of(reader), &slot, &reader->latest);
	return r;
}

/* Straight from the cursor, past what scaph_wait() may hold. */
static int take(struct scaph_reader *reader, struct scaph_record *ret)
{
	struct scaph_slot slot;
	uint64_t lost;
	int r;

	if (reader->history) {
		/* Proof first, without taking a record; then back to the oldest. */
		r = ask_latest(reader);
		if (!scaph_cursor_proven(reader->cursor))
			return r;
		reader->history = false;
		scaph_cursor_rewind(reader->cursor);
	}
	r = result_of(reader, scaph_cursor_next(reader->cursor, now_ns(reader), &slot, &lost));
	if (r == SCAPH_OK)
		decode(epoch_of(reader), &slot, ret);
	return r;
}

static void delivered(struct scaph_reader *reader, const struct scaph_record *records,
		      uint32_t count)
{
	reader->state = SCAPH_OK;
	reader->has_last = true;
	reader->last_flags = records[count - 1].flags;
	scaph_totals_extend(&reader->totals, records, count);
}

static inline bool may_rush(const struct scaph_reader *reader)
{
	return reader->held == SCAPH_EMPTY && !reader->history;
}

/*
 * The short way: what is simply there; 0: ask in full. Only where the watched slot does not say that nothing is: the processor
 * learns what these branches do, and a record that is waited for must not meet them unlearnt.
 */
static inline uint32_t rush(struct scaph_reader *reader, struct scaph_record *records,
			    uint32_t room)
{
	bool old = scaph_lazy_clock_serves(&reader->clock);
	uint64_t at_ns = old ? reader->clock.now_ns : now_ns(reader);
	struct scaph_figures *figures = (struct scaph_figures *)records;
	uint32_t taken = 1;

	if (room > 1 || !scaph_cursor_take_watched(reader->cursor, at_ns, figures))
		taken = scaph_cursor_take(reader->cursor, at_ns, figures, room);
	if (!taken)
		return 0;
	if (old)
		reader->undated_ns = at_ns;
	scaph_lazy_clock_found(&reader->clock, SCAPH_FOUND_RECORD);
	delivered(reader, records, taken);
	return taken;
}

static int next_slowly(struct scaph_reader *reader, struct scaph_record *ret)
{
	struct scaph_record record = reader->held_record;
	int r = reader->held;

	reader->held = SCAPH_EMPTY;
	if (r == SCAPH_EMPTY)
		r = take(reader, &record);
	/* Nothing new is no news: what was stale before still is. */
	if (r != SCAPH_EMPTY)
		reader->state = r;
	if (r != SCAPH_OK)
		return r;
	delivered(reader, &record, 1);
	*ret = record;
	return SCAPH_OK;
}

API int scaph_next(struct scaph_reader *reader, struct scaph_record *ret)
{
	scaph_lazy_clock_asked(&reader->clock);
	if (may_rush(reader)) {
		if (scaph_watch_waits(reader->watch_next)) {
			/* Nothing else can be the matter: the clock was read a moment ago. */
			scaph_lazy_clock_found(&reader->clock, SCAPH_FOUND_NOTHING);
			if (scaph_lazy_clock_serves(&reader->clock))
				return SCAPH_EMPTY;
		} else if (rush(reader, ret, 1)) {
			return SCAPH_OK;
		}
	}
	return next_slowly(reader, ret);
}

API int scaph_next_many(struct scaph_reader *reader, struct scaph_record *ret_records, size_t room,
			size_t *ret_count)
{
	uint32_t count = 0, most = room < ROOM_MAX ? (uint32_t)room : ROOM_MAX;
	int r;

	if (!room)
		return -EINVAL;
	scaph_lazy_clock_asked(&reader->clock);
	if (may_rush(reader) && !scaph_watch_waits(reader->watch_next)) {
		count = rush(reader, ret_records, most);
	} else if (may_rush(reader)) {
		scaph_lazy_clock_found(&reader->clock, SCAPH_FOUND_NOTHING);
		if (scaph_lazy_clock_serves(&reader->clock))
			return SCAPH_EMPTY;
	}
	while (count == 0 || (count < most && scaph_cursor_ran_out(reader->cursor))) {
		r = next_slowly(reader, ret_records + count);
		if (r != SCAPH_OK && count == 0)
			return r;
		if (r != SCAPH_OK) {
			reader->held = r; /* for the next call */
			break;
		}
		count++;
		if (count < most)
			count += rush(reader, ret_records + count, most - count);
	}
	*ret_count = count;
	return SCAPH_OK;
}

/* While all is well and the clock was read a moment ago: the newest record without asking what else may be. */
static bool glance(struct scaph_reader *reader)
{
	if (!scaph_cursor_glance(reader->cursor, reader->clock.now_ns,
				 (struct scaph_figures *)&reader->latest))
		return false;
	reader->undated_ns = reader->clock.now_ns;
	return true;
}

API int scaph_latest(struct scaph_reader *reader, struct scaph_record *ret)
{
	int r;

	scaph_lazy_clock_asked(&reader->clock);
	if (reader->state == SCAPH_OK && scaph_watch_same(reader->watch_newest)) {
		scaph_lazy_clock_found(&reader->clock, SCAPH_FOUND_SAME);
		if (scaph_lazy_clock_serves(&reader->clock)) {
			*ret = reader->latest; /* written long ago: wide moves are right here */
			return SCAPH_OK;
		}
	} else if (reader->state == SCAPH_OK && scaph_lazy_clock_serves(&reader->clock)) {
		if (glance(reader)) {
			scaph_lazy_clock_found(&reader->clock, SCAPH_FOUND_RECORD);
			scaph_record_copy(ret, &reader->latest);
			return SCAPH_OK;
		}
	}
	r = ask_latest(reader);
	if (r != SCAPH_EMPTY)
		reader->state = r;
	if (r == SCAPH_OK)
		scaph_record_copy(ret, &reader->latest);
	return r;
}

int scaph_reader_at(struct scaph_reader *reader, uint64_t number, struct scaph_record *ret)
{
	struct scaph_slot slot;
	int r = result_of(reader, scaph_cursor_at(reader->cursor, SCAPH_BLOCK_FAST, number, &slot));

	if (r == SCAPH_OK)
		decode(epoch_of(reader), &slot, ret);
	return r;
}

int scaph_reader_sleep_until(uint64_t mono_ns)
{
	struct timespec ts = { .tv_sec = (time_t)(mono_ns / NS_PER_S),
			       .tv_nsec = (long)(mono_ns % NS_PER_S) };

	return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

API int scaph_wait(struct scaph_reader *reader, int64_t timeout_ns, uint64_t batch_ns)
{
	uint64_t start_ns = now_ns(reader), until_ns = start_ns + (uint64_t)timeout_ns;

	while (reader->held == SCAPH_EMPTY) {
		uint64_t at_ns = now_ns(reader), due_ns;
		int r;

		reader->held = take(reader, &reader->held_record);
		/* States that only last are no news: looked at again, not reported again. */
		if (reader->held == SCAPH_UNPROVEN || reader->held == SCAPH_STALE ||
		    reader->held == SCAPH_WITHHELD || reader->held == SCAPH_REFUSED) {
			if (reader->held != reader->state)
				break;
			reader->held = SCAPH_EMPTY;
		}
		if (reader->held != SCAPH_EMPTY)
			break;
		if (timeout_ns >= 0 && at_ns >= until_ns)
			return SCAPH_EMPTY;
		due_ns = scaph_cursor_due_ns(reader->cursor, at_ns, batch_ns);
		if (timeout_ns >= 0 && due_ns > until_ns)
			due_ns = until_ns;
		r = scaph_reader_sleep_until(due_ns);
		if (r < 0)
			return r;
	}
	return 0;
}

API int scaph_window(struct scaph_reader *reader, uint64_t span_ns, struct scaph_span *ret)
{
	struct scaph_record newest, oldest;
	uint64_t window_ns, back, least_ns;
	struct scaph_slot slot;
	int r = scaph_latest(reader, &newest);

	if (r != SCAPH_OK)
		return r;
	window_ns = scaph_cursor_descriptor(reader->cursor)->window_ns;
	least_ns = scaph_span_least_ns(window_ns);
	if (span_ns < least_ns)
		span_ns = least_ns;
	back = span_ns / window_ns ? span_ns / window_ns : 1;
	if (back > newest.number)
		back = newest.number;
	/* Older records may be gone, or never have been there for us: come nearer until one is. */
	for (; back; back /= 2) {
		if (scaph_cursor_at(reader->cursor, SCAPH_BLOCK_FAST, newest.number - back,
				    &slot) != SCAPH_CURSOR_RECORD)
			continue;
		decode(epoch_of(reader), &slot, &oldest);
		if (scaph_between(&oldest, &newest, ret) == SCAPH_OK &&
		    ret->duration_ns >= least_ns)
			return SCAPH_OK;
	}
	return SCAPH_GAP;
}

API void scaph_totals(const struct scaph_reader *reader, struct scaph_span *ret)
{
	scaph_totals_sum(&reader->totals, ret);
}

API uint64_t scaph_lost(const struct scaph_reader *reader)
{
	return scaph_cursor_counts(reader->cursor).lost;
}

API uint64_t scaph_age_ns(const struct scaph_reader *reader)
{
	struct scaph_lazy_clock clock = {};
	uint64_t at_ns = scaph_lazy_clock_read(&clock);
	uint64_t progress_ns = scaph_cursor_progress_ns(reader->cursor);

	return at_ns > progress_ns ? at_ns - progress_ns : 0;
}

API int scaph_describe(const struct scaph_reader *reader, struct scaph_info *ret)
{
	const struct scaph_descriptor *desc = scaph_cursor_descriptor(reader->cursor);

	if (ret->size != sizeof(*ret))
		return -EINVAL;
	if (!desc)
		return SCAPH_UNPROVEN;
	*ret = (struct scaph_info){
		.size = sizeof(*ret),
		.epoch_id = desc->epoch_id,
		.window_ns = desc->window_ns,
		.origin_mono_ns = desc->origin_mono_ns,
		.is_host = desc->subject == SCAPH_SUBJECT_HOST,
		.is_estimated = desc->quality != SCAPH_QUALITY_MEASURED,
	};
	snprintf(ret->name, sizeof(ret->name), "%s", desc->name);
	scaph_uuid_format(desc->uuid, ret->uuid);
	snprintf(ret->source, sizeof(ret->source), "%s", scaph_source_name(desc->source));
	snprintf(ret->meter, sizeof(ret->meter), "%s", scaph_meter_name(desc->meter));
	snprintf(ret->profile, sizeof(ret->profile), "%s", scaph_profile_name(desc->profile));
	snprintf(ret->mode, sizeof(ret->mode), "%s",
		 scaph_cursor_mode(reader->cursor) == SCAPH_MODE_COHERENT ? "coherent"
									  : "snapshot");
	return 0;
}

/* A segment that was retired in order says so itself; NULL: it was not. */
static const char *retired_reason(struct scaph_reader *reader)
{
	struct scaph_status status;

	if (scaph_cursor_status(reader->cursor, &status) != 0 ||
	    status.state != SCAPH_STATE_RETIRED)
		return NULL;
	return status.reasons & SCAPH_REASON_DOMAIN_GONE
		       ? "retired: the domain's process has ended on the host"
		       : "retired: scaphd was stopped on the host; start it again";
}

/* Records come, but without energy: the status says why. */
static const char *no_energy_reason(struct scaph_reader *reader)
{
	const struct scaph_descriptor *desc = scaph_cursor_descriptor(reader->cursor);
	struct scaph_status status;

	if (desc && !(desc->zones & SCAPH_ZONE_PACKAGE))
		return "the host's source does not measure package energy; a trusted domain is "
		       "told "
		       "of the zones that it has";
	if (scaph_cursor_status(reader->cursor, &status) == 0 &&
	    status.reasons & SCAPH_REASON_PRICE_PENDING)
		return "no price of CPU time is known yet; the first comes some 10 s after CPU "
		       "time "
		       "is used";
	return "the energy source has ended or cannot be read; see scaphd's log on the host";
}

API const char *scaph_reason(struct scaph_reader *reader)
{
	const char *retired = NULL;

	if (reader->state == SCAPH_STALE || reader->state == SCAPH_UNPROVEN)
		retired = retired_reason(reader);
	if (retired)
		return retired;
	switch (reader->state) {
	case SCAPH_STALE:
		snprintf(reader->reason, sizeof(reader->reason),
			 "stale: no record for %.1f s; is scaphd running on the host?",
			 (double)scaph_age_ns(reader) / 1e9);
		return reader->reason;
	case SCAPH_UNPROVEN:
	case SCAPH_REFUSED:
		return scaph_cursor_refusal(reader->cursor);
	case SCAPH_WITHHELD:
		return "withheld: the profile of this domain is off; ask the host's operator to "
		       "allow shared or trusted";
	default:
		if (reader->state < 0)
			return strerror(-reader->state);
		return reader->has_last && !(reader->last_flags & SCAPH_HAS_PACKAGE)
			       ? no_energy_reason(reader)
			       : "";
	}
}
