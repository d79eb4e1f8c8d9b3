/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c - what looks at a segment say of the host's clock
 *
 * Each look gives an upper bound by the record that it found and, once that came, a lower one by the record that it did not (see
 * timeline.h). The next record's time is a window later, so that bound is loose; the status, which the writer stamps right after
 * a record, is as good as the look was close to it: scaph_clock_sync() looks closely.
 */
#include "consumer/clock.h"

#include <errno.h>

#include "consumer/reader.h"
#include "consumer/timeline.h"
#include "shm/cursor.h"

#define API __attribute__((visibility("default")))
#define NS_PER_MS UINT64_C(1000000)
#define STATUS_PERIOD_NS (1000 * NS_PER_MS)
#define GOOD_PARTS 32 /* of a window: a width below needs no status */
#define ASK_PARTS 8 /* of a window: between looks at the status */
#define EARLY_NS (5 * NS_PER_MS) /* before a record is due: we may wake late */
#define LONGEST_NS (20 * NS_PER_MS)
#define LATE_NS (10 * NS_PER_MS) /* after it was due: the writer may be */
#define WELL_PARTS 10 /* of a window: what is good enough to stop */
#define POLL_NS UINT64_C(50000)

static uint64_t window_of(struct scaph_reader *reader)
{
	return scaph_cursor_descriptor(scaph_reader_cursor(reader))->window_ns;
}

/* How long a window is, or enough of it to look at closely. */
static uint64_t longest_ns(struct scaph_reader *reader)
{
	uint64_t window_ns = window_of(reader);

	return window_ns < LONGEST_NS ? window_ns : LONGEST_NS;
}

/* The status, if it is another one than was seen last. @newest was seen before. */
static void take_status(struct scaph_reader *reader, const struct scaph_record *newest)
{
	struct scaph_timeline *timeline = scaph_reader_timeline(reader);
	struct scaph_status status;
	uint64_t at_ns;
	int r = scaph_cursor_status(scaph_reader_cursor(reader), &status);

	at_ns = scaph_mono_ns();
	timeline->asked_ns = at_ns;
	/* The last one of all is written by another thread, when no record follows. */
	if (r || !(status.valid & SCAPH_STATUS_WALL) || status.state == SCAPH_STATE_RETIRED ||
	    status.mono_ns == timeline->told_ns)
		return;
	timeline->told_ns = status.mono_ns;
	scaph_timeline_saw(timeline, status.mono_ns, at_ns);
	if (newest->mono_ns < status.mono_ns)
		scaph_timeline_passed(timeline, newest->number, status.mono_ns);
}

static bool status_wanted(struct scaph_reader *reader, uint64_t at_ns)
{
	const struct scaph_timeline *timeline = scaph_reader_timeline(reader);
	uint64_t window_ns = window_of(reader);

	if (timeline->exact || at_ns - timeline->asked_ns < window_ns / ASK_PARTS ||
	    scaph_timeline_width_ns(timeline, at_ns) < window_ns / GOOD_PARTS)
		return false;
	return !timeline->told_ns ||
	       scaph_timeline_own(timeline, timeline->told_ns + STATUS_PERIOD_NS, at_ns) <= at_ns;
}

/* Whoever looks seldom: the time of the record behind the one that was missed tells more than the newest one's. */
static void catch_up(struct scaph_reader *reader, const struct scaph_record *newest)
{
	struct scaph_timeline *timeline = scaph_reader_timeline(reader);
	struct scaph_record behind;
	uint64_t missing;

	if (timeline->exact || !scaph_timeline_missing(timeline, &missing) ||
	    newest->number <= missing + 1 ||
	    scaph_timeline_width_ns(timeline, scaph_mono_ns()) < 2 * window_of(reader))
		return;
	if (scaph_reader_at(reader, missing + 1, &behind) == SCAPH_OK)
		scaph_timeline_passed(timeline, missing, behind.mono_ns);
}

int scaph_clock_observe(struct scaph_reader *reader, struct scaph_record *ret_newest)
{
	struct scaph_timeline *timeline = scaph_reader_timeline(reader);
	uint64_t before_ns = scaph_mono_ns(), after_ns;
	struct scaph_record newest;
	int r = scaph_latest(reader, &newest);

	after_ns = scaph_mono_ns();
	if (r != SCAPH_OK)
		return r;
	if (newest.epoch_id != timeline->epoch_id)
		scaph_timeline_begin(
			timeline, newest.epoch_id,
			scaph_cursor_descriptor(scaph_reader_cursor(reader))->origin_mono_ns);
	scaph_timeline_saw(timeline, newest.mono_ns, after_ns);
	catch_up(reader, &newest);
	if (newest.number)
		scaph_timeline_passed(timeline, newest.number - 1, newest.mono_ns);
	scaph_timeline_missed(timeline, newest.number + 1, before_ns);
	if (status_wanted(reader, after_ns))
		take_status(reader, &newest);
	*ret_newest = newest;
	return SCAPH_OK;
}

API int scaph_clock_read(struct scaph_reader *reader, struct scaph_clock *ret)
{
	const struct scaph_timeline *timeline = scaph_reader_timeline(reader);
	struct scaph_timeline_range host;
	struct scaph_record newest;
	uint64_t at_ns, width_ns;
	int r;

	if (ret->size != sizeof(*ret))
		return -EINVAL;
	r = scaph_clock_observe(reader, &newest);
	if (r != SCAPH_OK)
		return r;
	at_ns = scaph_mono_ns();
	width_ns = scaph_timeline_width_ns(timeline, at_ns);
	if (width_ns == UINT64_MAX)
		return SCAPH_NOT_YET;
	host = scaph_timeline_host(timeline, at_ns);
	*ret = (struct scaph_clock){
		.size = sizeof(*ret),
		.epoch_id = timeline->epoch_id,
		.offset_ns = (int64_t)at_ns - host.last_ns + (int64_t)(width_ns / 2),
		.error_ns = width_ns - width_ns / 2,
	};
	return SCAPH_OK;
}

/*
 * When the first record may come with which a status can come: a second after the last one, or a window sooner. Which of two or
 * three it is depends on how late the writer was then and is now.
 */
static uint64_t status_due_ns(struct scaph_reader *reader, const struct scaph_record *newest,
			      uint64_t now_ns)
{
	const struct scaph_timeline *timeline = scaph_reader_timeline(reader);
	uint64_t window_ns = window_of(reader), windows = 1;
	uint64_t from_ns = timeline->told_ns + STATUS_PERIOD_NS - longest_ns(reader);
	uint64_t away_ns = from_ns - newest->mono_ns;

	if (timeline->told_ns && from_ns > newest->mono_ns && away_ns <= 2 * STATUS_PERIOD_NS)
		windows = (away_ns + window_ns - 1) / window_ns;
	return scaph_timeline_own(timeline, newest->mono_ns + windows * window_ns, now_ns);
}

/* Look closely from now on until a status comes: just before, its record was not there. SCAPH_NOT_YET: none came. */
static int watch_closely(struct scaph_reader *reader, struct scaph_record *newest, uint64_t end_ns)
{
	struct scaph_timeline *timeline = scaph_reader_timeline(reader);
	uint64_t told_ns = timeline->told_ns;

	while (scaph_mono_ns() < end_ns) {
		int r;

		scaph_reader_sleep_until(scaph_mono_ns() + POLL_NS);
		r = scaph_clock_observe(reader, newest);
		if (r != SCAPH_OK)
			return r;
		take_status(reader, newest);
		if (timeline->told_ns == told_ns)
			continue;
		/* Its record came before it, but may have come after that look. */
		r = scaph_clock_observe(reader, newest);
		if (r == SCAPH_OK && newest->mono_ns < timeline->told_ns)
			scaph_timeline_passed(timeline, newest->number, timeline->told_ns);
		return r;
	}
	return SCAPH_NOT_YET;
}

/* Nothing to be looked at, but that may pass. */
static bool may_come(int r)
{
	return r == SCAPH_UNPROVEN || r == SCAPH_EMPTY || r == SCAPH_NOT_YET;
}

API int scaph_clock_sync(struct scaph_reader *reader, int64_t timeout_ns)
{
	const struct scaph_timeline *timeline = scaph_reader_timeline(reader);
	uint64_t now_ns = scaph_mono_ns(), until_ns = now_ns + (uint64_t)timeout_ns, due_ns;
	bool limited = timeout_ns >= 0, seen = false;
	struct scaph_record newest;
	int r;

	for (;;) {
		r = scaph_clock_observe(reader, &newest);
		if (r == SCAPH_OK && timeline->exact)
			return SCAPH_OK;
		if (r != SCAPH_OK && !may_come(r))
			return r;
		now_ns = scaph_mono_ns();
		if (limited && now_ns >= until_ns)
			return r != SCAPH_OK ? r : seen ? SCAPH_OK : SCAPH_NOT_YET;
		due_ns = now_ns + 5 * NS_PER_MS;
		if (r == SCAPH_OK) {
			due_ns = status_due_ns(reader, &newest, now_ns);
			due_ns = due_ns > now_ns + EARLY_NS ? due_ns : now_ns + EARLY_NS;
		}
		/* Whatever the segment says: not for ever. */
		if (due_ns > now_ns + 2 * STATUS_PERIOD_NS)
			due_ns = now_ns + 2 * STATUS_PERIOD_NS;
		if (limited && due_ns - EARLY_NS > until_ns)
			due_ns = until_ns + EARLY_NS;
		if (scaph_reader_sleep_until(due_ns - EARLY_NS) < 0)
			return -EINTR;
		if (r != SCAPH_OK || scaph_clock_observe(reader, &newest) != SCAPH_OK)
			continue;
		r = watch_closely(reader, &newest, due_ns + 2 * longest_ns(reader) + LATE_NS);
		/* Whoever was halted in that very moment tries again. */
		if (r == SCAPH_OK && scaph_timeline_width_ns(timeline, scaph_mono_ns()) <=
					     longest_ns(reader) / WELL_PARTS)
			return SCAPH_OK;
		seen |= r == SCAPH_OK;
		if (r != SCAPH_OK && !may_come(r))
			return r;
	}
}
