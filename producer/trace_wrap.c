/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_wrap.c - how soon a counter of a trace can wrap
 *
 * Real hardware has a highest power that its makers state; a trace has only what it shows.
 */
#include "producer/clock.h"
#include "producer/counter.h"
#include "producer/trace.h"

uint64_t scaph_trace_span_ns(const struct scaph_trace *trace)
{
	return trace->line[trace->count - 1].mono_ns - trace->line[0].mono_ns;
}

/* Highest power of one zone over a second, or over the whole of a shorter trace. */
static uint64_t peak_uw(const struct scaph_trace *trace, int zone)
{
	struct scaph_counter first = { .range_uj = trace->range_uj[zone] }, last = first;
	uint64_t span_ns = scaph_trace_span_ns(trace);
	unsigned __int128 peak = 0;
	size_t from = 0;

	if (span_ns > SCAPH_NS_PER_S)
		span_ns = SCAPH_NS_PER_S;
	scaph_counter_advance(&first, trace->line[0].raw_uj[zone]);
	for (size_t to = 0; to < trace->count; to++) {
		scaph_counter_advance(&last, trace->line[to].raw_uj[zone]);
		while (trace->line[to].mono_ns - trace->line[from].mono_ns >= span_ns) {
			uint64_t dt_ns = trace->line[to].mono_ns - trace->line[from].mono_ns;
			unsigned __int128 power = last.energy_uj - first.energy_uj;

			power = power * SCAPH_NS_PER_S / dt_ns;
			peak = power > peak ? power : peak;
			scaph_counter_advance(&first, trace->line[++from].raw_uj[zone]);
		}
	}
	return peak > UINT64_MAX ? UINT64_MAX : (uint64_t)peak;
}

uint64_t scaph_trace_wrap_ns(const struct scaph_trace *trace)
{
	unsigned __int128 shortest = 0;

	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		uint64_t power_uw = trace->range_uj[zone] ? peak_uw(trace, zone) : 0;
		unsigned __int128 wrap;

		if (!power_uw)
			continue;
		wrap = (unsigned __int128)trace->range_uj[zone] * SCAPH_NS_PER_S / power_uw + 1;
		if (!shortest || wrap < shortest)
			shortest = wrap;
	}
	return shortest > UINT64_MAX ? UINT64_MAX : (uint64_t)shortest;
}
