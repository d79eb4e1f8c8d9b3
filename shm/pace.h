/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pace.h - when a reader should look next, instead of spinning
 *
 * Records come at the window's pace, each some delay after its window closed. The least delay seen
 * tells when the next one can be there at the earliest; a look that came too early is repeated at
 * growing distances.
 */
#ifndef SCAPH_SHM_PACE_H
#define SCAPH_SHM_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct scaph_pace {
	bool known;
	uint32_t early; /* looks in a row that found nothing */
	uint64_t least_delay_ns; /* reader's clock minus the record's, modulo 2^64: its smallest */
	uint64_t mono_ns; /* of the newest record seen */
};

/* A record was delivered at the reader's time now_ns. */
void scaph_pace_saw(struct scaph_pace *pace, uint64_t now_ns, uint64_t mono_ns, uint64_t window_ns);

/* A new epoch has another clock: forget. */
void scaph_pace_reset(struct scaph_pace *pace);

/**
 * scaph_pace_due_ns() - the reader's time of the next look
 * @batch_ns: no sooner than this from now; 0: as soon as a record can be there
 *
 * Return:   later than now_ns, at most a second away.
 */
uint64_t scaph_pace_due_ns(struct scaph_pace *pace, uint64_t now_ns, uint64_t window_ns,
			   uint64_t batch_ns);

#endif
