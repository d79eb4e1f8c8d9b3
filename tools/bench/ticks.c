/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticks.c - how long a tick is
 */
#include "tools/bench/ticks.h"

#define CALIBRATION_NS (20 * NS_PER_MS)

double bench_ns_per_tick(void)
{
	static double ns_per_tick;
	uint64_t from_ns = bench_now_ns(), from = bench_ticks(), until_ns;

	if (ns_per_tick > 0)
		return ns_per_tick;
	do
		until_ns = bench_now_ns();
	while (until_ns - from_ns < CALIBRATION_NS);
	ns_per_tick = (double)(until_ns - from_ns) / (double)(bench_ticks() - from);
	return ns_per_tick;
}
