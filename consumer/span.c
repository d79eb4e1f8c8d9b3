/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.c - subtraction of records: the one place where power comes from
 *
 * Two records may be subtracted if they are of one epoch with equal breaks. Power is never computed over less than one window
 * or 20 ms: below that a counter's steps are larger than what is measured.
 */
#include "consumer/span.h"

#define POWER_MIN_NS 20000000ULL
/* A window of 20 ms closes some microseconds early or late. */
#define POWER_SLACK_NS 1000000ULL
#define NS_PER_S 1000000000ULL
/* Difference of a figure known at both ends; false: the counter went back, which a writer never does. */
static int subtract(uint32_t known, uint32_t bit, uint64_t from, uint64_t to, uint64_t *ret)
{
	*ret = 0;
	if (!(known & bit))
		return 1;
	*ret = to - from;
	return to >= from;
}

__attribute__((visibility("default"))) int scaph_between(const struct scaph_record *from,
							 const struct scaph_record *to,
							 struct scaph_span *ret)
{
	uint32_t known = from->flags & to->flags & SCAPH_HAS_ALL;
	struct scaph_span span = { .flags = known | ((from->flags | to->flags) &
						     ~(uint32_t)SCAPH_HAS_ALL) };

	if (from->epoch_id != to->epoch_id || from->breaks != to->breaks ||
	    to->number <= from->number || to->mono_ns <= from->mono_ns)
		return SCAPH_GAP;
	span.duration_ns = to->mono_ns - from->mono_ns;
	if (!subtract(known, SCAPH_HAS_PACKAGE, from->package_uj, to->package_uj,
		      &span.package_uj) ||
	    !subtract(known, SCAPH_HAS_CORE, from->core_uj, to->core_uj, &span.core_uj) ||
	    !subtract(known, SCAPH_HAS_DRAM, from->dram_uj, to->dram_uj, &span.dram_uj) ||
	    !subtract(known, SCAPH_HAS_IDLE, from->idle_uj, to->idle_uj, &span.idle_uj) ||
	    !subtract(known, SCAPH_HAS_CPU, from->cpu_ns, to->cpu_ns, &span.cpu_ns))
		return SCAPH_GAP;
	span.power_uw =
		(uint64_t)((unsigned __int128)span.package_uj * NS_PER_S / span.duration_ns);
	*ret = span;
	return SCAPH_OK;
}

uint64_t scaph_span_least_ns(uint64_t window_ns)
{
	return (window_ns > POWER_MIN_NS ? window_ns : POWER_MIN_NS) - POWER_SLACK_NS;
}

void scaph_span_add(struct scaph_span *sum, const struct scaph_span *span)
{
	/* What one part does not know the sum does not know. */
	uint32_t known = sum->duration_ns ? sum->flags & span->flags & SCAPH_HAS_ALL
					  : span->flags & SCAPH_HAS_ALL;

	sum->flags = known | ((sum->flags | span->flags) & ~(uint32_t)SCAPH_HAS_ALL);
	sum->duration_ns += span->duration_ns;
	sum->package_uj += span->package_uj;
	sum->core_uj += span->core_uj;
	sum->dram_uj += span->dram_uj;
	sum->idle_uj += span->idle_uj;
	sum->cpu_ns += span->cpu_ns;
	if (sum->duration_ns)
		sum->power_uw = (uint64_t)((unsigned __int128)sum->package_uj * NS_PER_S /
					   sum->duration_ns);
}
