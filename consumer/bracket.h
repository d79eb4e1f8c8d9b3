/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bracket.h - one instant of our clock among the records of a ring
 */
#ifndef SCAPH_CONSUMER_BRACKET_H
#define SCAPH_CONSUMER_BRACKET_H

#include <stdint.h>

#include "consumer/scaph.h"

struct scaph_ring_view {
	struct scaph_reader *reader;
	struct scaph_record newest;
	uint64_t window_ns;
	uint64_t grain_ns; /* how far from its time a record's figures may be */
};

struct scaph_bracket {
	struct scaph_record below; /* certainly not after the instant */
	struct scaph_record above; /* certainly not before it */
	struct scaph_record left, right; /* the closest two around host_ns */
	uint64_t host_ns; /* the middle of what the instant may be on the host's clock */
	uint32_t known, said; /* flags of all these: in each, in any */
};

/**
 * scaph_bracket_find() - the records around an instant; those without figures do not count
 * @ring:   of the present epoch; the reader's timeline knows the offset from both sides
 * @own_ns: CLOCK_MONOTONIC
 * @ret:    set only on SCAPH_OK
 *
 * Context:  a few looks at the ring; in snapshot mode mostly one pread. Bounded, whatever the records say.
 * Return:   SCAPH_OK; SCAPH_NOT_YET: none above; SCAPH_TOO_OLD, SCAPH_GAP: none below any more, or in this epoch; or a negative
 *           errno.
 */
int scaph_bracket_find(const struct scaph_ring_view *ring, uint64_t own_ns,
		       struct scaph_bracket *ret);

#endif
