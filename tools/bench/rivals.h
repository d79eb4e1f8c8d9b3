/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rivals.h - what was measured of each peer, for the report
 */
#ifndef SCAPH_BENCH_RIVALS_H
#define SCAPH_BENCH_RIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/bench/peers/peer.h"
#include "tools/bench/topic.h"

struct bench_rival {
	const struct bench_peer *peer;
	bool missing; /* not in this build, or it cannot be opened here */
	void *state;
	uint64_t next; /* number of the next record */
	struct bench_row *publish;
	struct bench_row *read;
	struct bench_tally beside; /* of reads beside its flat-out writer, where that was done */
};

/* As many as there are peers; after the run. */
const struct bench_rival *bench_rivals_all(unsigned int *ret_count);

#endif
