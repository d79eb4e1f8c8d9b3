/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter.c - modular differences of an energy counter
 */
#include "producer/source/counter.h"

#include "producer/process/clock.h"

uint64_t scaph_counter_most(uint64_t range, uint64_t wrap_ns, uint64_t dt_ns)
{
	unsigned __int128 most = (unsigned __int128)range * (dt_ns + SCAPH_NS_PER_S) / wrap_ns;

	if (!most)
		return 1;
	return most < range ? (uint64_t)most : range;
}

int scaph_counter_advance(struct scaph_counter *counter, uint64_t raw)
{
	uint64_t before = counter->raw;
	uint64_t step;

	counter->raw = raw;
	if (!counter->primed) {
		counter->primed = true;
		return 0;
	}
	/* A range of 0 stands for 2^64 - 1, where the wrap is the machine's own. */
	if (raw >= before || !counter->range)
		step = raw - before;
	else
		step = counter->range - before + raw + 1;
	if (step > (counter->range ? counter->range : UINT64_MAX) / 2 ||
	    (counter->most && step > counter->most))
		return SCAPH_COUNTER_RESET;
	counter->energy_units += (unsigned __int128)step * counter->step_units;
	return 0;
}
