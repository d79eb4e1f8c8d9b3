/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copies.h - private copies of consecutive slots, judged one by one
 *
 * A copy that was judged OK is that record for ever. Every other verdict is about the moment of the
 * copy: it is acted on only as the reading rules say, after a fresh copy.
 *
 * Owner: one cursor. The bytes are the access's buffer: any other use of the access ends them, so
 * whoever makes one drops the copies first.
 */
#ifndef SCAPH_SHM_COPIES_H
#define SCAPH_SHM_COPIES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "proto/slot.h"
#include "shm/attachment.h"

struct scaph_copies {
	struct scaph_run run; /* count 0: none */
	uint32_t block_type;
	uint32_t tag;
	uint32_t prefix;
	uint64_t first_index; /* the record expected in the first copy */
};

static inline void scaph_copies_drop(struct scaph_copies *copies)
{
	copies->run.count = 0;
}

static inline bool scaph_copies_hold(const struct scaph_copies *copies, uint32_t block_type,
				     uint64_t index)
{
	return index - copies->first_index < copies->run.count && copies->block_type == block_type;
}

/* Only for an index held; the pointer is good until the copies are dropped. */
static inline const struct scaph_slot *scaph_copies_slot(const struct scaph_copies *copies,
							 uint64_t index)
{
	uint64_t at = (index - copies->first_index) * copies->run.stride;

	return (const struct scaph_slot *)(copies->run.bytes + at);
}

static inline enum scaph_slot_class scaph_copies_judge(const struct scaph_copies *copies,
						       uint64_t index)
{
	return scaph_slot_classify(scaph_copies_slot(copies, index), copies->tag, index,
				   copies->prefix);
}

/* Word by word, as it was written: see load_slot() in access_coherent.c. */
static inline void scaph_slot_hand_out(const struct scaph_slot *from, struct scaph_slot *to)
{
	to->seq = from->seq;
	to->mono_ns = from->mono_ns;
	to->package_uj = from->package_uj;
	to->core_uj = from->core_uj;
	to->dram_uj = from->dram_uj;
	to->idle_uj = from->idle_uj;
	to->cpu_ns = from->cpu_ns;
	memcpy(&to->breaks, &from->breaks, 8);
}

/**
 * scaph_copies_fetch() - copy slots afresh, from the one where a record belongs
 * @att:        usable; no longer so after an error other than -EINTR
 * @block_type: a ring that the segment has
 * @index:      the first record wanted, at most SCAPH_INDEX_MAX
 * @want:       how many, at least 1; there may be fewer (the ring's end), never more beyond its end
 *
 * Return:   0 and at least the first is held, or a negative errno.
 */
int scaph_copies_fetch(struct scaph_copies *copies, struct scaph_attachment *att,
		       uint32_t block_type, uint64_t index, uint32_t want);

/**
 * scaph_copies_verify_head() - find out whether what a fast head says is so
 * @index:     the record that the head names
 * @ret_index: set only on 0: that record or, if the ring came round meanwhile, a later one, whose
 *             own slot verified
 *
 * A head is a hint: acting on a wrong one would skip records that are there.
 *
 * Context:  @tries fresh copies at most.
 * Return:   0 or -ENOENT (nothing in that slot verifies) or another negative errno.
 */
int scaph_copies_verify_head(struct scaph_copies *copies, struct scaph_attachment *att,
			     uint64_t index, unsigned int tries, uint64_t *ret_index);

#endif
