/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_ring.c - energy that another scaphd publishes for this machine: a guest divides what its host says it used
 *
 * The segment's cumulative figures are the counters: microjoules, 64 bits. They move once in the host's window, so ours is
 * several of those, and what may not be subtracted there (a new epoch, a gap) is a gap here. What the host cannot say for a
 * moment keeps the window open. Estimated, filtered and the zones are the host's; so is the idle power, as it was at start.
 *
 * Over virtiofs a read may hang with the share: then a sampler thread does it, as with any source that asks for a rate.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "producer/process/clock.h"
#include "producer/source/source.h"
#include "proto/names.h"
#include "shm/cursor.h"
#include "shm/segment.h"

#define PROOF_NS (5 * SCAPH_NS_PER_S)
#define PRICE_NS                                                                                   \
	(30 *                                                                                      \
	 SCAPH_NS_PER_S) /* of a shared domain: its first price comes some 10 s after CPU time is used */
#define IDLE_SPAN_NS (500 * SCAPH_NS_PER_MS)
#define LOOK_NS (10 * SCAPH_NS_PER_MS)
#define EVENTS_MAX 100000U /* of one read: more than any ring holds */
#define ZONES_KNOWN 3

static const struct {
	uint32_t bit; /* enum scaph_zone_bit */
	uint16_t flag; /* of a record in which it is known */
	int zone;
} zones_known[ZONES_KNOWN] = {
	{ SCAPH_ZONE_PACKAGE, SCAPH_FLAG_PACKAGE, SCAPH_ZONE_AT_PACKAGE },
	{ SCAPH_ZONE_CORE, SCAPH_FLAG_CORE, SCAPH_ZONE_AT_CORE },
	{ SCAPH_ZONE_DRAM, SCAPH_FLAG_DRAM, SCAPH_ZONE_AT_DRAM },
};

struct ring {
	struct scaph_source source;
	struct scaph_cursor *cursor;
	struct scaph_slot last; /* with figures; seq 0: none yet */
	uint64_t epoch_id; /* that it is of */
	uint64_t lasted_ns; /* when it came */
};

static uint64_t figure(const struct scaph_slot *slot, int zone)
{
	return zone == SCAPH_ZONE_AT_PACKAGE ? slot->package_uj
	       : zone == SCAPH_ZONE_AT_CORE  ? slot->core_uj
					     : slot->dram_uj;
}

/* Keep a record; whether it goes on from the last one. */
static bool keep(struct ring *ring, const struct scaph_slot *slot)
{
	uint64_t epoch_id = scaph_cursor_descriptor(ring->cursor)->epoch_id;
	bool goes_on = !ring->last.seq ||
		       (epoch_id == ring->epoch_id && slot->breaks == ring->last.breaks);

	ring->last = *slot;
	ring->epoch_id = epoch_id;
	return goes_on;
}

static int refuse(char ret_why[SCAPH_SOURCE_WHY_BYTES], const char *path, const char *why, int r)
{
	snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%.120s: %.120s", path, why);
	return r;
}

static const char *why_not(struct ring *ring, int event)
{
	const struct scaph_descriptor *desc = scaph_cursor_descriptor(ring->cursor);

	if (desc && desc->profile == SCAPH_PROFILE_OFF)
		return "its profile is off: ask the host's operator for shared or trusted";
	if (event == SCAPH_CURSOR_RECORD)
		return "no energy in it yet; the host knows no price so far, or its source has "
		       "ended";
	if (event == SCAPH_CURSOR_UNPROVEN || event == SCAPH_CURSOR_REFUSED)
		return scaph_cursor_refusal(ring->cursor);
	return "no record comes; is scaphd running on the host?";
}

/* The newest record with energy, waited for; only what moves is believed. */
static int await_record(struct ring *ring, const char *path, struct scaph_slot *ret_slot,
			char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	uint64_t from_ns = scaph_clock_ns(CLOCK_MONOTONIC), now_ns;
	bool pending;
	int event;

	do {
		now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
		event = scaph_cursor_latest(ring->cursor, now_ns, ret_slot);
		if (event < 0)
			return refuse(ret_why, path, strerror(-event), event);
		if (event == SCAPH_CURSOR_RECORD && ret_slot->flags & SCAPH_FLAG_PACKAGE)
			return 0;
		pending = event == SCAPH_CURSOR_RECORD;
		scaph_clock_sleep_until(now_ns + LOOK_NS);
	} while (now_ns - from_ns < (pending ? PRICE_NS : PROOF_NS));
	return refuse(ret_why, path, why_not(ring, event), -ENODATA);
}

/* The host's idle share of this machine, as power, between two records. */
static int learn_idle(struct ring *ring, const char *path, const struct scaph_slot *first,
		      char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct scaph_slot then;
	uint64_t span_ns;
	int r;

	if (!(first->flags & SCAPH_FLAG_IDLE))
		return 0;
	scaph_clock_sleep_until(scaph_clock_ns(CLOCK_MONOTONIC) + IDLE_SPAN_NS);
	r = await_record(ring, path, &then, ret_why);
	if (r)
		return r;
	span_ns = then.mono_ns - first->mono_ns;
	if (!(then.flags & SCAPH_FLAG_IDLE) || then.breaks != first->breaks || !span_ns ||
	    then.idle_uj < first->idle_uj)
		return 0;
	ring->source.idle_known = true;
	ring->source.idle_uw = (uint64_t)((unsigned __int128)(then.idle_uj - first->idle_uj) *
					  SCAPH_NS_PER_S / span_ns);
	return 0;
}

static void describe(struct ring *ring, const struct scaph_slot *slot)
{
	const struct scaph_descriptor *desc = scaph_cursor_descriptor(ring->cursor);
	struct scaph_source_package *package = &ring->source.package[0];
	char name[64];

	for (int i = 0; i < ZONES_KNOWN; i++) {
		if (!(slot->flags & zones_known[i].flag))
			continue;
		package->zones |= zones_known[i].bit;
		package->counter[zones_known[i].zone].step_units = SCAPH_UNITS_PER_UJ;
	}
	ring->source.ops = &scaph_source_ring;
	ring->source.zones = package->zones;
	ring->source.packages = 1;
	ring->source.estimated = desc->quality != SCAPH_QUALITY_MEASURED;
	ring->source.filtered = slot->flags & SCAPH_FLAG_FILTERED;
	ring->source.window_ns = desc->window_ns;
	if (scaph_cursor_mode(ring->cursor) == SCAPH_MODE_SNAPSHOT)
		ring->source.sample_hz = 50;
	scaph_name_escape(desc->name, name, sizeof(name));
	snprintf(ring->source.about, sizeof(ring->source.about),
		 "what the host says of %.48s, every %llu ms", name,
		 (unsigned long long)(desc->window_ns / SCAPH_NS_PER_MS));
}

/* A folder stands for the segment in it. */
static int open_cursor(struct ring *ring, const char *path, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	char file[PATH_MAX];
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return refuse(ret_why, path, strerror(errno), -errno);
	snprintf(file, sizeof(file), S_ISDIR(st.st_mode) ? "%s/" SCAPH_SEGMENT_NAME : "%s", path);
	r = scaph_cursor_open(file, SCAPH_MODE_AUTO, scaph_clock_ns(CLOCK_MONOTONIC),
			      &ring->cursor);
	return r ? refuse(ret_why, file, strerror(-r), r) : 0;
}

static void ring_close(struct scaph_source *source)
{
	struct ring *ring = (struct ring *)source;

	scaph_cursor_free(ring->cursor);
	free(ring);
}

static int ring_open(const struct scaph_config *config, const struct scaph_topology *topology,
		     const char *argument, struct scaph_source **ret_source,
		     char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct scaph_slot slot;
	struct ring *ring;
	int r;

	if (!argument || !*argument) {
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "it needs a share, a segment or an ivshmem device: ring:PATH");
		return -EINVAL;
	}
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	r = open_cursor(ring, argument, ret_why);
	if (r == 0)
		r = await_record(ring, argument, &slot, ret_why);
	if (r == 0) {
		describe(ring, &slot);
		r = learn_idle(ring, argument, &slot, ret_why);
	}
	if (r) {
		ring_close(&ring->source);
		return r;
	}
	*ret_source = &ring->source;
	return 0;
}

/* All that came since: whether some of it does not go on from what was before. Negative: nothing comes any more. */
static int catch_up(struct ring *ring, uint64_t now_ns)
{
	bool gap = false;

	for (uint32_t i = 0; i < EVENTS_MAX; i++) {
		struct scaph_slot slot;
		uint64_t lost;
		int event = scaph_cursor_next(ring->cursor, now_ns, &slot, &lost);

		if (event < 0)
			return event;
		if (event == SCAPH_CURSOR_EMPTY)
			break;
		/* Records that are lost, or say nothing, are covered by the next one: figures are cumulative. */
		if (event == SCAPH_CURSOR_LOST || event == SCAPH_CURSOR_EPOCH)
			continue;
		if (event != SCAPH_CURSOR_RECORD)
			return -ESTALE;
		if (slot.flags & SCAPH_FLAG_PACKAGE) {
			gap |= !keep(ring, &slot);
			ring->lasted_ns = now_ns;
		}
	}
	return gap;
}

static int ring_read(struct scaph_source *source, uint32_t package, uint64_t now_ns,
		     uint64_t raw[SCAPH_ZONES])
{
	struct ring *ring = (struct ring *)source;
	int gap = catch_up(ring, now_ns);

	if (gap < 0)
		return gap;
	if (!ring->last.seq)
		return -EAGAIN;
	/* Nothing new for longer than windows can be late: not known, rather than no power. */
	if (now_ns > ring->lasted_ns + 3 * source->window_ns + 100 * SCAPH_NS_PER_MS)
		return -ESTALE;
	for (int i = 0; i < ZONES_KNOWN; i++)
		raw[zones_known[i].zone] = figure(&ring->last, zones_known[i].zone);
	return gap ? SCAPH_SOURCE_GAP : 0;
}

const struct scaph_source_ops scaph_source_ring = {
	.name = "ring",
	.id = SCAPH_SOURCE_RING,
	.usage = "--source ring:PATH (what a host says of this guest)",
	.open = ring_open,
	.read = ring_read,
	.close = ring_close,
};
