/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preads.h - counts the preads that libscaph makes, and their time
 *
 * The program is linked with --wrap, so that the library's own calls come by here; it costs each two looks at the clock.
 * One thread.
 */
#ifndef SCAPH_BENCH_PREADS_H
#define SCAPH_BENCH_PREADS_H

#include <stdint.h>

struct bench_preads {
	uint64_t count;
	uint64_t bytes;
	uint64_t ns;
};

/* Since the program began. */
extern struct bench_preads bench_preads;

#endif
