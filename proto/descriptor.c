/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.c - sealing and checking a private copy of a segment's descriptor
 */
#include "proto/descriptor.h"

#include <stdbool.h>
#include <string.h>

#include "proto/crc32c.h"
#include "proto/seq.h"

#define WINDOW_MAX_NS 1000000000000ULL

static uint32_t descriptor_crc(const void *bytes, uint32_t count)
{
	return scaph_crc32c_block(bytes, count, offsetof(struct scaph_descriptor, crc));
}

void scaph_descriptor_init(struct scaph_descriptor *desc)
{
	memset(desc, 0, sizeof(*desc));
	desc->magic = SCAPH_MAGIC;
	desc->layout = SCAPH_LAYOUT;
	desc->compatible_with = SCAPH_LAYOUT_COMPATIBLE;
	desc->byte_order = SCAPH_BYTE_ORDER_CHECK;
	desc->desc_bytes = sizeof(*desc);
}

static void place(struct scaph_block *block, uint32_t type, uint64_t offset, uint64_t count)
{
	*block = (struct scaph_block){
		.type = type,
		.stride = SCAPH_SLOT_BYTES,
		.offset = offset,
		.bytes = count * SCAPH_SLOT_BYTES,
		.count = count,
	};
}

void scaph_descriptor_place_rings(struct scaph_descriptor *desc, uint64_t *ret_bytes)
{
	uint64_t fast = SCAPH_FAST_SLOTS_MIN;
	uint64_t slow_offset;

	while (fast * desc->window_ns < SCAPH_FAST_SPAN_NS)
		fast *= 2;
	slow_offset = SCAPH_PREFIX_BYTES + fast * SCAPH_SLOT_BYTES;
	place(&desc->blocks[0], SCAPH_BLOCK_FAST, SCAPH_PREFIX_BYTES, fast);
	place(&desc->blocks[1], SCAPH_BLOCK_SLOW, slow_offset, SCAPH_SLOW_SLOTS);
	desc->block_count = 2;
	*ret_bytes = slow_offset + SCAPH_SLOW_SLOTS * SCAPH_SLOT_BYTES;
}

void scaph_descriptor_seal(struct scaph_descriptor *desc)
{
	desc->crc = descriptor_crc(desc, desc->desc_bytes);
}

/* One block of the directory against the segment's size; nothing here can overflow whatever the numbers are. */
static bool block_fits(const struct scaph_block *block, uint64_t segment_bytes)
{
	if (block->stride < SCAPH_SLOT_BYTES || block->stride % SCAPH_SLOT_BYTES)
		return false;
	if (block->count == 0 || block->count > SCAPH_RING_SLOTS_MAX ||
	    (block->count & (block->count - 1)))
		return false;
	if (block->bytes != (uint64_t)block->stride * block->count)
		return false;
	if (block->offset < SCAPH_PREFIX_BYTES || block->offset % SCAPH_BLOCK_ALIGN)
		return false;
	return block->offset <= segment_bytes && block->bytes <= segment_bytes - block->offset;
}

static bool places_overlap(const struct scaph_ring_place *a, const struct scaph_ring_place *b)
{
	return a->offset < b->offset + (uint64_t)b->stride * b->count &&
	       b->offset < a->offset + (uint64_t)a->stride * a->count;
}

static bool read_directory(const struct scaph_descriptor *desc, uint64_t segment_bytes,
			   struct scaph_geometry *ret_geometry)
{
	struct scaph_geometry geometry = {};

	if (desc->block_count > SCAPH_BLOCKS_MAX)
		return false;
	for (uint32_t i = 0; i < desc->block_count; i++) {
		const struct scaph_block *block = &desc->blocks[i];
		struct scaph_ring_place *ring;

		if (block->type == SCAPH_BLOCK_FAST)
			ring = &geometry.fast;
		else if (block->type == SCAPH_BLOCK_SLOW)
			ring = &geometry.slow;
		else
			continue;
		if (ring->count || !block_fits(block, segment_bytes))
			return false;
		ring->offset = block->offset;
		ring->stride = block->stride;
		ring->count = (uint32_t)block->count;
	}
	if (!geometry.fast.count || places_overlap(&geometry.fast, &geometry.slow))
		return false;
	*ret_geometry = geometry;
	return true;
}

enum scaph_descriptor_verdict scaph_descriptor_check(const void *bytes, uint64_t segment_bytes,
						     struct scaph_descriptor *ret_desc,
						     struct scaph_geometry *ret_geometry)
{
	struct scaph_descriptor desc;

	memcpy(&desc, bytes, sizeof(desc));
	if (desc.magic != SCAPH_MAGIC)
		return SCAPH_DESCRIPTOR_NO_MAGIC;
	if (desc.gen & 1)
		return SCAPH_DESCRIPTOR_BUSY;
	if (desc.byte_order != SCAPH_BYTE_ORDER_CHECK)
		return SCAPH_DESCRIPTOR_BYTE_ORDER;
	if (desc.compatible_with > SCAPH_LAYOUT)
		return SCAPH_DESCRIPTOR_TOO_NEW;
	if (desc.desc_bytes < sizeof(desc) || desc.desc_bytes > SCAPH_DESC_MAX_BYTES ||
	    desc.desc_bytes % 8)
		return SCAPH_DESCRIPTOR_BAD_LENGTH;
	if (desc.crc != descriptor_crc(bytes, desc.desc_bytes))
		return SCAPH_DESCRIPTOR_BAD_CHECKSUM;
	if (desc.must_bits & ~SCAPH_MUST_KNOWN)
		return SCAPH_DESCRIPTOR_MUST_UNKNOWN;
	if (!scaph_epoch_id_usable(desc.epoch_id))
		return SCAPH_DESCRIPTOR_BAD_EPOCH;
	if (desc.window_ns == 0 || desc.window_ns > WINDOW_MAX_NS)
		return SCAPH_DESCRIPTOR_BAD_WINDOW;
	if (!read_directory(&desc, segment_bytes, ret_geometry))
		return SCAPH_DESCRIPTOR_BAD_DIRECTORY;
	desc.name[SCAPH_NAME_BYTES - 1] = '\0';
	*ret_desc = desc;
	return SCAPH_DESCRIPTOR_OK;
}

const char *scaph_descriptor_verdict_text(enum scaph_descriptor_verdict verdict)
{
	switch (verdict) {
	case SCAPH_DESCRIPTOR_OK:
		return "a segment";
	case SCAPH_DESCRIPTOR_NO_MAGIC:
		return "not a scaphring segment, or not written yet";
	case SCAPH_DESCRIPTOR_BUSY:
		return "its writer has begun an epoch and not finished; is scaphd running on the "
		       "host?";
	case SCAPH_DESCRIPTOR_BYTE_ORDER:
		return "written for another byte order";
	case SCAPH_DESCRIPTOR_TOO_NEW:
		return "made by a newer scaphd than this reader understands; update the reader";
	case SCAPH_DESCRIPTOR_MUST_UNKNOWN:
		return "uses a feature this reader does not know; update the reader";
	case SCAPH_DESCRIPTOR_BAD_LENGTH:
		return "its descriptor has an impossible length; restart scaphd on the host";
	case SCAPH_DESCRIPTOR_BAD_CHECKSUM:
		return "its descriptor fails its checksum; restart scaphd on the host";
	case SCAPH_DESCRIPTOR_BAD_EPOCH:
		return "its epoch is none that may be; restart scaphd on the host";
	case SCAPH_DESCRIPTOR_BAD_DIRECTORY:
		return "its directory points outside the file (truncated?); restart scaphd on the "
		       "host";
	case SCAPH_DESCRIPTOR_BAD_WINDOW:
		return "its window is out of range; restart scaphd on the host";
	}
	return "damaged";
}
