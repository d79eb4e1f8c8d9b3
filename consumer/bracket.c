/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bracket.c - a search by time in a ring whose records come at the window's pace, mostly
 */
#include "consumer/bracket.h"

#include <stdbool.h>

#include "consumer/reader.h"
#include "consumer/span.h"
#include "consumer/timeline.h"

#define PROBES_MAX 64 /* a search in 2^20 records, with room */
#define STEPS_MAX 65536U /* along records without figures, or through a wide range */

static bool has_figures(const struct scaph_record *record)
{
	return record->flags & SCAPH_HAS_ALL;
}

/* Gone, but not by age: one that this library may not use. */
static int gone(const struct scaph_ring_view *ring, uint64_t number)
{
	struct scaph_record older;

	return number && scaph_reader_at(ring->reader, number - 1, &older) == SCAPH_OK
		       ? SCAPH_GAP
		       : SCAPH_TOO_OLD;
}

static int read_at(const struct scaph_ring_view *ring, uint64_t number, struct scaph_record *ret)
{
	if (number == ring->newest.number) {
		*ret = ring->newest;
		return SCAPH_OK;
	}
	return scaph_reader_at(ring->reader, number, ret);
}

/* Where it is if windows were all of one length. */
static uint64_t guess(const struct scaph_ring_view *ring, uint64_t host_ns)
{
	uint64_t back = (ring->newest.mono_ns - host_ns) / ring->window_ns + 1;

	return back < ring->newest.number ? ring->newest.number - back : 0;
}

/*
 * The last record at or before a time. Windows are seldom of another length than they say, so it is mostly where it is reckoned;
 * then a search by halves. What has left the ring is older than all that is asked for, until nothing else is.
 */
static int last_at(const struct scaph_ring_view *ring, uint64_t host_ns, struct scaph_record *ret)
{
	uint64_t high = ring->newest.number, low = 0, probe, step = 1;
	struct scaph_record record;
	bool bounded = false, there = false;
	int r;

	if (ring->newest.mono_ns <= host_ns) {
		*ret = ring->newest;
		return SCAPH_OK;
	}
	if (!high)
		return SCAPH_GAP;
	probe = guess(ring, host_ns);
	for (int i = 0; i < PROBES_MAX && !(bounded && high - low <= 1); i++) {
		r = read_at(ring, probe, &record);
		if (r != SCAPH_OK && r != SCAPH_LAPPED)
			return r;
		if (r == SCAPH_LAPPED || record.mono_ns <= host_ns) {
			there = r == SCAPH_OK;
			if (there)
				*ret = record;
			low = probe;
			/* Its neighbour first. */
			probe = bounded ? low + (high - low) / 2 : low + 1;
			bounded = true;
		} else {
			high = probe;
			if (!high)
				return SCAPH_GAP; /* the epoch is younger */
			if (bounded)
				probe = low + (high - low) / 2;
			else
				probe = high > step ? high - step : 0;
			step *= 2;
		}
	}
	if (!bounded || high - low > 1)
		return SCAPH_GAP; /* times that do not grow */
	return there ? SCAPH_OK : gone(ring, low);
}

static void use(struct scaph_bracket *bracket, const struct scaph_record *record)
{
	bracket->known &= record->flags;
	bracket->said |= record->flags;
}

/* The last record with figures that is certainly not after the instant. */
static int find_below(const struct scaph_ring_view *ring, int64_t first_ns,
		      struct scaph_bracket *bracket)
{
	int64_t host_ns = first_ns - (int64_t)ring->grain_ns;
	int r;

	if (host_ns < 0)
		return SCAPH_GAP;
	r = last_at(ring, (uint64_t)host_ns, &bracket->below);
	for (uint32_t i = 0; r == SCAPH_OK && !has_figures(&bracket->below); i++) {
		uint64_t number = bracket->below.number;

		if (!number || i == STEPS_MAX)
			return SCAPH_GAP;
		r = read_at(ring, number - 1, &bracket->below);
		if (r == SCAPH_LAPPED)
			return gone(ring, number - 1);
	}
	if (r == SCAPH_OK)
		use(bracket, &bracket->below);
	return r;
}

/* From there on: what lies round the middle, and the first that is certainly not before the instant. */
static int find_above(const struct scaph_ring_view *ring, int64_t last_ns,
		      struct scaph_bracket *bracket)
{
	uint64_t host_ns = (uint64_t)last_ns + ring->grain_ns;
	uint64_t number = bracket->below.number;
	bool passed = false;
	int r;

	bracket->left = bracket->below;
	if (bracket->below.mono_ns >= host_ns) {
		/* That very instant. */
		bracket->right = bracket->below;
		bracket->above = bracket->below;
		return SCAPH_OK;
	}
	for (uint32_t i = 0; i < STEPS_MAX; i++) {
		if (number == ring->newest.number)
			return SCAPH_NOT_YET;
		r = read_at(ring, ++number, &bracket->above);
		if (r == SCAPH_LAPPED)
			return gone(ring, number);
		if (r != SCAPH_OK)
			return r;
		if (!has_figures(&bracket->above))
			continue;
		if (!passed && bracket->above.mono_ns >= bracket->host_ns) {
			bracket->right = bracket->above;
			passed = true;
		} else if (!passed) {
			bracket->left = bracket->above;
		}
		if (passed && bracket->above.mono_ns >= host_ns) {
			use(bracket, &bracket->left);
			use(bracket, &bracket->right);
			use(bracket, &bracket->above);
			return SCAPH_OK;
		}
	}
	return SCAPH_GAP;
}

int scaph_bracket_find(const struct scaph_ring_view *ring, uint64_t own_ns,
		       struct scaph_bracket *ret)
{
	struct scaph_timeline_range host =
		scaph_timeline_host(scaph_reader_timeline(ring->reader), own_ns);
	struct scaph_bracket bracket = { .known = UINT32_MAX };
	int r = find_below(ring, host.first_ns, &bracket);

	bracket.host_ns = (uint64_t)(host.first_ns + (host.last_ns - host.first_ns) / 2);
	if (r == SCAPH_OK)
		r = find_above(ring, host.last_ns, &bracket);
	if (r == SCAPH_OK)
		*ret = bracket;
	return r;
}
