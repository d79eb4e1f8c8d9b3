/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline.c - two bounds of an offset, and how they grow old
 *
 * Differences of times are taken modulo 2^64 and dropped unless they are within OFFSET_MAX: no sum here can overflow.
 */
#include "consumer/timeline.h"

#define OFFSET_MAX_NS (INT64_C(1) << 61)
#define PPM 1000000U

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* What a bound may be off by at another time than its own; rounded up. */
static int64_t aged_ns(const struct scaph_timeline_bound *bound, uint64_t own_ns)
{
	return (int64_t)(distance(own_ns, bound->at_ns) / (PPM / SCAPH_DRIFT_PPM)) + 1;
}

static int64_t upper_at(const struct scaph_timeline *timeline, uint64_t own_ns)
{
	return timeline->upper.offset_ns + aged_ns(&timeline->upper, own_ns);
}

static int64_t lower_at(const struct scaph_timeline *timeline, uint64_t own_ns)
{
	return timeline->lower.offset_ns - aged_ns(&timeline->lower, own_ns);
}

static bool offset_of(uint64_t own_ns, uint64_t host_ns, int64_t *ret_offset_ns)
{
	int64_t offset_ns = (int64_t)(own_ns - host_ns);

	if (own_ns >> 61 || offset_ns > OFFSET_MAX_NS || offset_ns < -OFFSET_MAX_NS)
		return false;
	*ret_offset_ns = offset_ns;
	return true;
}

void scaph_timeline_begin(struct scaph_timeline *timeline, uint64_t epoch_id, uint64_t origin_ns)
{
	*timeline = (struct scaph_timeline){
		.epoch_id = epoch_id,
		.exact = origin_ns && !(origin_ns >> 61),
		.origin_ns = (int64_t)origin_ns,
	};
}

/* One of the clocks stood still: what was known is of before. */
static void contradicted(struct scaph_timeline *timeline, uint64_t at_ns)
{
	timeline->upper.known = false;
	timeline->lower.known = false;
	timeline->misses = 0;
	timeline->valid_from_ns = at_ns;
}

void scaph_timeline_saw(struct scaph_timeline *timeline, uint64_t host_ns, uint64_t at_ns)
{
	int64_t offset_ns;

	if (!offset_of(at_ns, host_ns, &offset_ns))
		return;
	/* Not this machine's clock: a container with a time of its own, a copied file. */
	if (offset_ns < timeline->origin_ns)
		timeline->exact = false;
	if (timeline->lower.known && offset_ns < lower_at(timeline, at_ns))
		contradicted(timeline, at_ns);
	if (timeline->upper.known && offset_ns > upper_at(timeline, at_ns))
		return;
	timeline->upper = (struct scaph_timeline_bound){ true, offset_ns, at_ns };
}

void scaph_timeline_missed(struct scaph_timeline *timeline, uint64_t number, uint64_t at_ns)
{
	uint32_t last = (timeline->misses - 1) % SCAPH_TIMELINE_LOOKS;

	if (!timeline->misses || timeline->missed[last].number != number)
		last = timeline->misses++ % SCAPH_TIMELINE_LOOKS;
	timeline->missed[last].number = number;
	timeline->missed[last].at_ns = at_ns;
}

bool scaph_timeline_missing(const struct scaph_timeline *timeline, uint64_t *ret_number)
{
	if (!timeline->misses)
		return false;
	*ret_number = timeline->missed[(timeline->misses - 1) % SCAPH_TIMELINE_LOOKS].number;
	return true;
}

/* The latest look that cannot have been after the record of this number was stored; 0: none. */
static uint64_t missed_at_ns(const struct scaph_timeline *timeline, uint64_t number)
{
	uint64_t at_ns = 0;

	for (uint32_t i = 0; i < timeline->misses && i < SCAPH_TIMELINE_LOOKS; i++) {
		if (timeline->missed[i].number <= number && timeline->missed[i].at_ns > at_ns)
			at_ns = timeline->missed[i].at_ns;
	}
	return at_ns;
}

void scaph_timeline_passed(struct scaph_timeline *timeline, uint64_t number, uint64_t host_ns)
{
	uint64_t at_ns = missed_at_ns(timeline, number);
	int64_t offset_ns;

	if (!at_ns || !offset_of(at_ns, host_ns, &offset_ns))
		return;
	if (offset_ns > timeline->origin_ns)
		timeline->exact = false;
	if (timeline->upper.known && offset_ns > upper_at(timeline, at_ns))
		contradicted(timeline, at_ns);
	if (timeline->lower.known && offset_ns < lower_at(timeline, at_ns))
		return;
	timeline->lower = (struct scaph_timeline_bound){ true, offset_ns, at_ns };
}

uint64_t scaph_timeline_width_ns(const struct scaph_timeline *timeline, uint64_t own_ns)
{
	if (timeline->exact)
		return 0;
	if (!timeline->upper.known || !timeline->lower.known)
		return UINT64_MAX;
	/* Never negative: bounds that cross are not both kept, and they grow old away from each other. */
	return (uint64_t)(upper_at(timeline, own_ns) - lower_at(timeline, own_ns));
}

struct scaph_timeline_range scaph_timeline_host(const struct scaph_timeline *timeline,
						uint64_t own_ns)
{
	int64_t own = (int64_t)own_ns;

	if (timeline->exact)
		return (struct scaph_timeline_range){ own - timeline->origin_ns,
						      own - timeline->origin_ns };
	return (struct scaph_timeline_range){ own - upper_at(timeline, own_ns),
					      own - lower_at(timeline, own_ns) };
}

uint64_t scaph_timeline_own(const struct scaph_timeline *timeline, uint64_t host_ns,
			    uint64_t now_ns)
{
	int64_t offset_ns = timeline->exact ? timeline->origin_ns : upper_at(timeline, now_ns);

	return host_ns + (uint64_t)offset_ns;
}
