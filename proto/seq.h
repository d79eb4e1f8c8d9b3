/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seq.h - a slot's sequence number: epoch tag, index and busy bit in one 64-bit word
 *
 * n = tag << 39 | index; a busy slot carries 2n+1, a complete one 2n+2. Because the tag is in it, no two epochs share a
 * number, so a restarted writer can never complete the same number twice. seq 0 is an empty slot and is tested first.
 */
#ifndef SCAPH_PROTO_SEQ_H
#define SCAPH_PROTO_SEQ_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/layout.h"

static inline uint32_t scaph_tag_of_epoch(uint64_t epoch_id)
{
	return (uint32_t)(epoch_id & SCAPH_TAG_MASK);
}

/* Tags 0 and 0xffffff never name an epoch: the first would read as empty, the last would carry out of the word. */
static inline bool scaph_epoch_id_usable(uint64_t epoch_id)
{
	uint32_t tag = scaph_tag_of_epoch(epoch_id);

	return tag != 0 && tag != SCAPH_TAG_MASK;
}

/* The value of a head before the first record of an epoch. */
static inline uint64_t scaph_seq_before_first(uint32_t tag)
{
	return (uint64_t)tag << SCAPH_TAG_SHIFT;
}

static inline uint64_t scaph_seq_complete(uint32_t tag, uint64_t index)
{
	return scaph_seq_before_first(tag) + 2 * index + 2;
}

static inline uint64_t scaph_seq_busy(uint32_t tag, uint64_t index)
{
	return scaph_seq_complete(tag, index) - 1;
}

static inline uint32_t scaph_seq_tag(uint64_t seq)
{
	return (uint32_t)(seq >> SCAPH_TAG_SHIFT);
}

/* Only for a complete seq other than scaph_seq_before_first(): callers test that first. */
static inline uint64_t scaph_seq_index(uint64_t seq)
{
	return ((seq & ((1ULL << SCAPH_TAG_SHIFT) - 1)) >> 1) - 1;
}

static inline bool scaph_seq_is_busy(uint64_t seq)
{
	return seq & 1;
}

#endif
