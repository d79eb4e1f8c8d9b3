/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_wrap.c - how soon a counter of a trace can wrap
 *
 * Real hardware has a highest power that its makers state; a trace has only what it shows.
 */
#include "producer/process/clock.h"
#include "producer/source/counter.h"
#include "producer/source/trace.h"

uint64_t scaph_trace_span_ns(const struct scaph_trace *trace)
{
	return trace->mono_ns[trace->count - 1] - trace->mono_ns[0];
}

/* Highest rate of one column in counts a second, over a second or the whole of a shorter trace. */
static uint64_t peak_rate(const struct scaph_trace *trace, uint32_t column, uint64_t range)
{
	struct scaph_counter first = { .range = range, .step_units = 1 }, last = first;
	uint64_t span_ns = scaph_trace_span_ns(trace);
	unsigned __int128 peak = 0;
	size_t from = 0;

	if (span_ns > SCAPH_NS_PER_S)
		span_ns = SCAPH_NS_PER_S;
	scaph_counter_advance(&first, scaph_trace_raw(trace, 0, column));
	for (size_t to = 0; to < trace->count; to++) {
		scaph_counter_advance(&last, scaph_trace_raw(trace, to, column));
		while (trace->mono_ns[to] - trace->mono_ns[from] >= span_ns) {
			uint64_t dt_ns = trace->mono_ns[to] - trace->mono_ns[from];
			unsigned __int128 rate = last.energy_units - first.energy_units;

			rate = rate * SCAPH_NS_PER_S / dt_ns;
			peak = rate > peak ? rate : peak;
			scaph_counter_advance(&first, scaph_trace_raw(trace, ++from, column));
		}
	}
	return peak > UINT64_MAX ? UINT64_MAX : (uint64_t)peak;
}

uint64_t scaph_trace_wrap_ns(const struct scaph_trace *trace)
{
	unsigned __int128 shortest = 0;

	for (uint32_t i = 0; i < trace->columns; i++) {
		const struct scaph_trace_column *column = &trace->column[i];
		uint64_t range = trace->package[column->package].counter[column->zone].range;
		uint64_t rate = range ? peak_rate(trace, i, range) : 0;
		unsigned __int128 wrap;

		if (!rate)
			continue;
		wrap = (unsigned __int128)range * SCAPH_NS_PER_S / rate + 1;
		if (!shortest || wrap < shortest)
			shortest = wrap;
	}
	return shortest > UINT64_MAX ? UINT64_MAX : (uint64_t)shortest;
}
