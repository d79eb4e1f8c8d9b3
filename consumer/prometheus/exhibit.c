/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exhibit.c - sums of differences
 */
#include "consumer/prometheus/exhibit.h"

#include <assert.h>

#include "consumer/span.h"

#define POWER_SPAN_NS 10000000000ULL
#define POINT_EVERY_NS 200000000ULL

static_assert(SCAPH_TRAIL_POINTS > POWER_SPAN_NS / POINT_EVERY_NS, "the trail holds 10 s");

static struct scaph_record *point_at(struct scaph_trail *trail, uint32_t at)
{
	return &trail->point[(trail->first + at) % SCAPH_TRAIL_POINTS];
}

/* Let go of points older than the span before @record, and lay one if it is time. */
static void lay_trail(struct scaph_trail *trail, const struct scaph_record *record)
{
	while (trail->count && (record->mono_ns - point_at(trail, 0)->mono_ns > POWER_SPAN_NS ||
				trail->count == SCAPH_TRAIL_POINTS)) {
		trail->first = (trail->first + 1) % SCAPH_TRAIL_POINTS;
		trail->count--;
	}
	if (!trail->count ||
	    record->mono_ns - point_at(trail, trail->count - 1)->mono_ns >= POINT_EVERY_NS)
		*point_at(trail, trail->count++) = *record;
}

static void set_power(struct scaph_exhibit *exhibit, struct scaph_trail *trail,
		      const struct scaph_record *record)
{
	struct scaph_span span;

	exhibit->has_power = trail->count &&
			     scaph_between(point_at(trail, 0), record, &span) == SCAPH_OK &&
			     span.duration_ns >= scaph_span_least_ns(exhibit->info.window_ns);
	if (exhibit->has_power)
		exhibit->power = span;
}

void scaph_exhibit_record(struct scaph_exhibit *exhibit, struct scaph_trail *trail,
			  const struct scaph_record *record)
{
	struct scaph_span span;
	bool goes_on;

	/* Taken before: by the reading process that was replaced, or old bytes put back. */
	if (exhibit->has_last && exhibit->last.epoch_id == record->epoch_id &&
	    record->number <= exhibit->last.number)
		return;
	/* Of a window that is still open: the next record covers it too. */
	if (!(record->flags & SCAPH_HAS_ALL)) {
		exhibit->last = *record;
		exhibit->has_last = true;
		return;
	}
	goes_on = exhibit->has_base && scaph_between(&exhibit->base, record, &span) == SCAPH_OK;
	if (goes_on) {
		exhibit->package_uj += span.package_uj;
		exhibit->core_uj += span.core_uj;
		exhibit->dram_uj += span.dram_uj;
		exhibit->idle_uj += span.idle_uj;
		exhibit->cpu_ns += span.cpu_ns;
	}
	if (!goes_on || (exhibit->base.flags ^ record->flags) & SCAPH_HAS_ALL)
		trail->count = 0;
	exhibit->last = exhibit->base = *record;
	exhibit->has_last = exhibit->has_base = true;
	set_power(exhibit, trail, record);
	lay_trail(trail, record);
}

/*
 * A figure that both bulletins know. What came before the first seen is not ours to count, and one that steps back, as the
 * rest does by rounding, counts again only once it is beyond where it was.
 */
static void add(uint64_t *sum, uint64_t known, uint64_t bit, uint64_t from, uint64_t *to)
{
	if (!(known & bit))
		return;
	if (*to > from)
		*sum += *to - from;
	else
		*to = from;
}

void scaph_exhibit_bulletin(struct scaph_exhibit *exhibit, const struct scaph_bulletin *bulletin)
{
	const struct scaph_bulletin *from = &exhibit->bulletin;
	struct scaph_bulletin to = *bulletin;
	uint64_t known = from->valid & to.valid;

	if (exhibit->has_bulletin && from->epoch_id == to.epoch_id) {
		/* Old bytes put back say nothing new. */
		if (known & SCAPH_BULLETIN_HAS_WALL && to.mono_ns < from->mono_ns)
			return;
		add(&exhibit->uncore_uj, known, SCAPH_BULLETIN_HAS_UNCORE, from->uncore_uj,
		    &to.uncore_uj);
		add(&exhibit->psys_uj, known, SCAPH_BULLETIN_HAS_PSYS, from->psys_uj, &to.psys_uj);
		add(&exhibit->residual_uj, known, SCAPH_BULLETIN_HAS_RESIDUAL, from->residual_uj,
		    &to.residual_uj);
		add(&exhibit->unattributed_uj, known, SCAPH_BULLETIN_HAS_UNATTRIBUTED,
		    from->unattributed_uj, &to.unattributed_uj);
		add(&exhibit->own_uj, known, SCAPH_BULLETIN_HAS_OWN, from->own_uj, &to.own_uj);
		add(&exhibit->own_cpu_ns, known, SCAPH_BULLETIN_HAS_OWN, from->own_cpu_ns,
		    &to.own_cpu_ns);
		add(&exhibit->look_spent_ns, known, SCAPH_BULLETIN_HAS_SAMPLING,
		    from->look_spent_ns, &to.look_spent_ns);
	}
	exhibit->bulletin = to;
	exhibit->has_bulletin = true;
}

bool scaph_exhibit_shows(const struct scaph_exhibit *exhibit, uint32_t figure)
{
	return exhibit->present && exhibit->state == SCAPH_EXHIBIT_LIVE &&
	       exhibit->last.flags & figure;
}
