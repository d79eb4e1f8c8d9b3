/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload.h - what the feeder writes, so that the guest can tell that it read just that
 *
 * Each figure follows from the record's number. The text file holds the newest 20 ms record's energy, as long from the
 * first as after years.
 */
#ifndef SCAPH_BENCH_PAYLOAD_H
#define SCAPH_BENCH_PAYLOAD_H

#include <stdint.h>

#include "tools/bench/ticks.h"

#define BENCH_WINDOW_NS (20 * NS_PER_MS)
#define BENCH_WINDOW_SHORT_NS NS_PER_MS

/* Beneath the share. */
#define BENCH_SHORT_FOLDER "short"
#define BENCH_TEXT_FOLDER "intel-rapl:0"
#define BENCH_TEXT_FILE BENCH_TEXT_FOLDER "/energy_uj"

static inline uint64_t bench_mono_ns(uint64_t number, uint64_t window_ns)
{
	return (number + 1) * window_ns;
}

static inline uint64_t bench_package_uj(uint64_t number)
{
	return UINT64_C(1000000000000) + 7 * number;
}

static inline uint64_t bench_cpu_ns(uint64_t number)
{
	return 11 * number + 5;
}

#endif
