/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter.c - modular differences of an energy counter
 */
#include "producer/counter.h"

int scaph_counter_advance(struct scaph_counter *counter, uint64_t raw_uj)
{
	uint64_t before_uj = counter->raw_uj;
	uint64_t step_uj;

	counter->raw_uj = raw_uj;
	if (!counter->primed) {
		counter->primed = true;
		return 0;
	}
	/* A range of 0 stands for 2^64 - 1, where the wrap is the machine's own. */
	if (raw_uj >= before_uj || !counter->range_uj)
		step_uj = raw_uj - before_uj;
	else
		step_uj = counter->range_uj - before_uj + raw_uj + 1;
	if (step_uj > (counter->range_uj ? counter->range_uj : UINT64_MAX) / 2)
		return SCAPH_COUNTER_RESET;
	counter->energy_uj += step_uj;
	return 0;
}
