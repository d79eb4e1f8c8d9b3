/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copies.c - fetching copies, and verifying a head by its own slot
 */
#include "shm/copies.h"

#include <errno.h>

#include "proto/seq.h"

int scaph_copies_fetch(struct scaph_copies *copies, struct scaph_attachment *att,
		       uint32_t block_type, uint64_t index, uint32_t want)
{
	bool fast = block_type == SCAPH_BLOCK_FAST;
	const struct scaph_ring_place *ring = fast ? &att->geometry.fast : &att->geometry.slow;
	uint32_t first = (uint32_t)(index & (ring->count - 1));
	int r;

	r = att->access.ops->slots(&att->access, ring, first, want, &copies->run);
	if (__builtin_expect(r < 0, 0)) {
		copies->run.count = 0;
		if (r != -EINTR)
			att->usable = false;
		return r;
	}
	copies->block_type = block_type;
	copies->tag = att->tag;
	copies->prefix = fast ? att->fast_prefix : att->slow_prefix;
	copies->first_index = index;
	if (__builtin_expect(copies->run.count > SCAPH_INDEX_MAX + 1 - index, 0))
		copies->run.count = (uint32_t)(SCAPH_INDEX_MAX + 1 - index);
	return 0;
}

int scaph_copies_verify_head(struct scaph_copies *copies, struct scaph_attachment *att,
			     uint64_t index, unsigned int tries, uint64_t *ret_index)
{
	uint64_t ring_mask = att->geometry.fast.count - 1;

	for (; tries; tries--) {
		enum scaph_slot_class class;
		const struct scaph_slot *slot;
		int r;

		r = scaph_copies_fetch(copies, att, SCAPH_BLOCK_FAST, index, 1);
		if (r < 0)
			return r;
		slot = scaph_copies_slot(copies, index);
		class = scaph_copies_judge(copies, index);
		if (class == SCAPH_SLOT_LAPPED &&
		    ((scaph_seq_index(slot->seq) ^ index) & ring_mask) == 0) {
			/* A later record stands in its place: as good a witness, if it verifies. */
			index = scaph_seq_index(slot->seq);
			class = scaph_slot_classify(slot, copies->tag, index, copies->prefix);
		}
		if (class == SCAPH_SLOT_OK) {
			*ret_index = index;
			return 0;
		}
		if (class != SCAPH_SLOT_BUSY)
			break;
	}
	return -ENOENT;
}
