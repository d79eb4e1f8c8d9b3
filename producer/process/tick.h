/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tick.h - the kernel's tick, below which process CPU time does not move
 */
#ifndef SCAPH_PRODUCER_TICK_H
#define SCAPH_PRODUCER_TICK_H

#include <stdint.h>

/*
 * Length of a tick: 4 ms at HZ=250, 10 ms at HZ=100. Source: clock_getres(CLOCK_MONOTONIC_COARSE).
 */
uint64_t scaph_tick_ns(void);

/*
 * The shortest window that a meter in steps of the tick can carry, in whole milliseconds: five
 * ticks.
 */
uint64_t scaph_tick_window_ns(void);

#endif
