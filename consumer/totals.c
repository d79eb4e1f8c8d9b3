/* SPDX-License-Identifier: Apache-2.0 */
/*
 * totals.c - runs of records, and their sum
 */
#include "consumer/totals.h"

#include "consumer/span.h"

/* What every record of a run has in common. */
static inline bool alike(const struct scaph_record *a, const struct scaph_record *b)
{
	return a->flags == b->flags && a->breaks == b->breaks && a->epoch_id == b->epoch_id;
}

/* A later record that no figure of which is lower. */
static bool follows(const struct scaph_record *from, const struct scaph_record *to)
{
	return to->number > from->number && to->mono_ns > from->mono_ns &&
	       to->package_uj >= from->package_uj && to->core_uj >= from->core_uj &&
	       to->dram_uj >= from->dram_uj && to->idle_uj >= from->idle_uj &&
	       to->cpu_ns >= from->cpu_ns;
}

static void add(struct scaph_span *sum, const struct scaph_record *from,
		const struct scaph_record *to)
{
	struct scaph_span span;

	if (scaph_between(from, to, &span) == SCAPH_OK)
		scaph_span_add(sum, &span);
}

/* The run ends with what may still be subtracted from its last record. */
static void begin_run(struct scaph_totals *totals, const struct scaph_record *record)
{
	if (totals->running) {
		add(&totals->ended, &totals->first, &totals->last);
		add(&totals->ended, &totals->last, record);
	}
	scaph_record_copy(&totals->first, record);
	scaph_record_copy(&totals->last, record);
	totals->running = true;
}

void scaph_totals_extend(struct scaph_totals *totals, const struct scaph_record *records,
			 uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct scaph_record *record = &records[i];

		if (!(record->flags & SCAPH_HAS_ALL))
			continue;
		/* Inside a batch only its end is anybody's business. */
		if (i + 1 < count && totals->running && alike(&totals->last, record) &&
		    alike(record, record + 1))
			continue;
		if (totals->running && alike(&totals->last, record) &&
		    follows(&totals->last, record))
			scaph_record_copy(&totals->last, record);
		else
			begin_run(totals, record);
	}
}

void scaph_totals_sum(const struct scaph_totals *totals, struct scaph_span *ret)
{
	*ret = totals->ended;
	if (totals->running)
		add(ret, &totals->first, &totals->last);
}
