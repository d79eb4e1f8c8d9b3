/* SPDX-License-Identifier: Apache-2.0 */
/*
 * energy.c - scaph_energy_between(): energy between any two instants, and what it may be off by
 *
 * Why the bounds hold. Let F(h) be what the host has counted up to its time h: it never falls. A record says F at its own time, or
 * for a counter of a processor, which moves once a millisecond and is read a moment after, at a time within the grain of it. An
 * instant t of our clock is one h out of [first, last] (timeline.h). So for each end
 *
 *   below: a record whose time, plus grain, is at most first: F(h) >= below
 *   above: a record whose time, less grain, is at least last: F(h) <= above
 *
 * and the energy between two instants is at most above(t1) - below(t0), and at least below(t1) - above(t0), or 0. Nothing is
 * assumed of how energy is spread over a window, so the bounds are as wide as the windows that the ends fall into. Best is F along
 * a straight line through the window around the middle of [first, last]: between the bounds by construction.
 *
 * All records are of one epoch and have equal breaks, else there is no figure.
 */
#include <errno.h>
#include <stdbool.h>

#include "consumer/bracket.h"
#include "consumer/clock.h"
#include "consumer/reader.h"
#include "consumer/scaph.h"
#include "consumer/span.h"
#include "consumer/timeline.h"
#include "shm/cursor.h"

#define API __attribute__((visibility("default")))
#define NS_PER_MS UINT64_C(1000000)
#define COUNTER_GRAIN_NS (11 * NS_PER_MS / 10) /* RAPL: a step a millisecond, with jitter */
#define AWAIT_MIN_NS UINT64_C(100000)
#define AWAIT_MAX_NS (5 * NS_PER_MS)
#define AWAIT_LOOK_NS (1000 * NS_PER_MS)
#define FIGURES 5

static void figures_of(const struct scaph_record *record, uint64_t ret[FIGURES])
{
	ret[0] = record->package_uj;
	ret[1] = record->core_uj;
	ret[2] = record->dram_uj;
	ret[3] = record->idle_uj;
	ret[4] = record->cpu_ns;
}

/* Part of the way from left to right that is gone at the middle. */
static uint64_t along(const struct scaph_bracket *end, uint64_t left, uint64_t right)
{
	uint64_t whole_ns = end->right.mono_ns - end->left.mono_ns;
	uint64_t gone_ns = end->host_ns - end->left.mono_ns;

	/* Times that do not grow, or a figure that falls: no writer's; the bounds still rule. */
	if (right < left || end->right.mono_ns <= end->left.mono_ns || gone_ns > whole_ns)
		return left;
	return left + (uint64_t)((unsigned __int128)(right - left) * gone_ns / whole_ns);
}

/* False: a figure that fell. */
static bool bound(uint64_t least_from, uint64_t least_to, uint64_t from, uint64_t to,
		  uint64_t most_from, uint64_t most_to, struct scaph_bounds *ret)
{
	struct scaph_bounds bounds = {
		.least = least_to > least_from ? least_to - least_from : 0,
		.best = to > from ? to - from : 0,
		.most = most_to - most_from,
	};

	if (most_to < most_from || bounds.most < bounds.least)
		return false;
	if (bounds.best < bounds.least)
		bounds.best = bounds.least;
	if (bounds.best > bounds.most)
		bounds.best = bounds.most;
	*ret = bounds;
	return true;
}

static int subtract(const struct scaph_bracket *from, const struct scaph_bracket *to,
		    struct scaph_energy *energy)
{
	static const uint32_t bit[FIGURES] = { SCAPH_HAS_PACKAGE, SCAPH_HAS_CORE, SCAPH_HAS_DRAM,
					       SCAPH_HAS_IDLE, SCAPH_HAS_CPU };
	struct scaph_bounds *into[FIGURES] = { &energy->package_uj, &energy->core_uj,
					       &energy->dram_uj, &energy->idle_uj,
					       &energy->cpu_ns };
	uint64_t below[2][FIGURES], above[2][FIGURES], left[2][FIGURES], right[2][FIGURES];
	const struct scaph_bracket *end[2] = { from, to };

	for (int i = 0; i < 2; i++) {
		figures_of(&end[i]->below, below[i]);
		figures_of(&end[i]->above, above[i]);
		figures_of(&end[i]->left, left[i]);
		figures_of(&end[i]->right, right[i]);
	}
	for (int i = 0; i < FIGURES; i++) {
		if (!(from->known & to->known & bit[i]))
			continue;
		if (!bound(above[0][i], below[1][i], along(from, left[0][i], right[0][i]),
			   along(to, left[1][i], right[1][i]), below[0][i], above[1][i], into[i]))
			return SCAPH_GAP;
	}
	return SCAPH_OK;
}

static uint64_t grain_ns(const struct scaph_descriptor *desc)
{
	switch (desc->source) {
	case SCAPH_SOURCE_MSR:
	case SCAPH_SOURCE_PERF:
	case SCAPH_SOURCE_POWERCAP:
		return COUNTER_GRAIN_NS;
	case SCAPH_SOURCE_RING:
		return desc->window_ns; /* the counter moves once in the outer host's window */
	default:
		return 0;
	}
}

/* What was said last serves as long as it is there, even of a host that is gone. */
static int find_ring(struct scaph_reader *reader, struct scaph_ring_view *ret_ring)
{
	struct scaph_cursor *cursor = scaph_reader_cursor(reader);
	struct scaph_ring_view ring = { .reader = reader };
	uint64_t index;
	int r = scaph_clock_observe(reader, &ring.newest);

	if (r != SCAPH_OK &&
	    (r != SCAPH_STALE || scaph_cursor_head(cursor, SCAPH_BLOCK_FAST, &index) ||
	     scaph_reader_at(reader, index, &ring.newest) != SCAPH_OK ||
	     ring.newest.epoch_id != scaph_reader_timeline(reader)->epoch_id))
		return r == SCAPH_EMPTY ? SCAPH_NOT_YET : r;
	ring.window_ns = scaph_cursor_descriptor(cursor)->window_ns;
	ring.grain_ns = grain_ns(scaph_cursor_descriptor(cursor));
	*ret_ring = ring;
	return r;
}

static int between(const struct scaph_ring_view *ring, uint64_t t0_ns, uint64_t t1_ns,
		   struct scaph_energy *ret)
{
	const struct scaph_timeline *timeline = scaph_reader_timeline(ring->reader);
	uint64_t from_width_ns, to_width_ns;
	struct scaph_energy energy;
	struct scaph_bracket from, to;
	int r;

	if (t0_ns < timeline->valid_from_ns)
		return SCAPH_GAP;
	from_width_ns = scaph_timeline_width_ns(timeline, t0_ns);
	to_width_ns = scaph_timeline_width_ns(timeline, t1_ns);
	if (from_width_ns == UINT64_MAX)
		return SCAPH_NOT_YET;
	r = scaph_bracket_find(ring, t0_ns, &from);
	if (r == SCAPH_OK)
		r = scaph_bracket_find(ring, t1_ns, &to);
	if (r != SCAPH_OK)
		return r;
	if (from.below.breaks != to.above.breaks)
		return SCAPH_GAP;
	energy = (struct scaph_energy){
		.size = sizeof(energy),
		.epoch_id = ring->newest.epoch_id,
		.duration_ns = t1_ns - t0_ns,
		.clock_ns = (from_width_ns > to_width_ns ? from_width_ns : to_width_ns) / 2,
		.flags = (from.known & to.known & SCAPH_HAS_ALL) |
			 ((from.said | to.said) & ~(uint32_t)SCAPH_HAS_ALL),
	};
	r = subtract(&from, &to, &energy);
	if (r != SCAPH_OK)
		return r;
	energy.bound_uj = energy.package_uj.most - energy.package_uj.best;
	if (energy.bound_uj < energy.package_uj.best - energy.package_uj.least)
		energy.bound_uj = energy.package_uj.best - energy.package_uj.least;
	*ret = energy;
	return SCAPH_OK;
}

static int ask(struct scaph_reader *reader, uint64_t t0_ns, uint64_t t1_ns,
	       struct scaph_ring_view *ring, struct scaph_energy *ret)
{
	int state, r;

	/* Times of a century are none; sums with smaller ones do not overflow. */
	if (ret->size != sizeof(*ret) || t0_ns >= t1_ns || t1_ns >> 61)
		return -EINVAL;
	state = find_ring(reader, ring);
	if (state != SCAPH_OK && (state != SCAPH_STALE || !ring->window_ns))
		return state;
	r = between(ring, t0_ns, t1_ns, ret);
	return r == SCAPH_NOT_YET ? (state == SCAPH_OK ? SCAPH_NOT_YET : state) : r;
}

API int scaph_energy_between(struct scaph_reader *reader, uint64_t t0_ns, uint64_t t1_ns,
			     struct scaph_energy *ret)
{
	struct scaph_ring_view ring = {};

	return ask(reader, t0_ns, t1_ns, &ring, ret);
}

/* When the record may be there that covers an instant. */
static uint64_t due_ns(const struct scaph_ring_view *ring, uint64_t own_ns, uint64_t now_ns)
{
	const struct scaph_timeline *timeline = scaph_reader_timeline(ring->reader);
	uint64_t step_ns = ring->window_ns / 16, windows, covered_ns, away_ns, due_ns;

	step_ns = step_ns < AWAIT_MIN_NS ? AWAIT_MIN_NS : step_ns;
	step_ns = step_ns > AWAIT_MAX_NS || !ring->window_ns ? AWAIT_MAX_NS : step_ns;
	if (!ring->window_ns || scaph_timeline_width_ns(timeline, own_ns) == UINT64_MAX)
		return now_ns + step_ns;
	covered_ns = (uint64_t)scaph_timeline_host(timeline, own_ns).last_ns + ring->grain_ns;
	away_ns = covered_ns - ring->newest.mono_ns;
	windows = away_ns >> 61 ? 1 : away_ns / ring->window_ns + 1;
	due_ns = scaph_timeline_own(timeline, ring->newest.mono_ns + windows * ring->window_ns,
				    now_ns);
	if (due_ns < now_ns + step_ns)
		return now_ns + step_ns;
	/* Whatever the segment says: not for ever. */
	return due_ns < now_ns + AWAIT_LOOK_NS ? due_ns : now_ns + AWAIT_LOOK_NS;
}

API int scaph_energy_await(struct scaph_reader *reader, uint64_t t0_ns, uint64_t t1_ns,
			   int64_t timeout_ns, struct scaph_energy *ret)
{
	uint64_t until_ns = scaph_mono_ns() + (uint64_t)timeout_ns;

	for (;;) {
		struct scaph_ring_view ring = {};
		uint64_t now_ns, next_ns;
		int r = ask(reader, t0_ns, t1_ns, &ring, ret);

		if (r != SCAPH_NOT_YET && r != SCAPH_UNPROVEN)
			return r;
		now_ns = scaph_mono_ns();
		if (timeout_ns >= 0 && now_ns >= until_ns)
			return r;
		next_ns = due_ns(&ring, t1_ns, now_ns);
		if (timeout_ns >= 0 && next_ns > until_ns)
			next_ns = until_ns;
		if (scaph_reader_sleep_until(next_ns) < 0)
			return -EINTR;
	}
}
