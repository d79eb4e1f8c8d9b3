/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.c - sealing and classifying a private copy of a slot
 */
#include "proto/slot.h"

#include "proto/crc32c.h"
#include "proto/seq.h"

uint32_t scaph_slot_prefix(uint64_t epoch_id, const uint8_t uuid[SCAPH_UUID_BYTES],
			   uint32_t block_type)
{
	uint32_t state = SCAPH_CRC32C_INIT;

	state = scaph_crc32c_update(state, &epoch_id, sizeof(epoch_id));
	state = scaph_crc32c_update(state, uuid, SCAPH_UUID_BYTES);
	return scaph_crc32c_update(state, &block_type, sizeof(block_type));
}

static uint32_t slot_crc(uint32_t prefix, const struct scaph_slot *slot)
{
	/* In place: a copy would wait for the words just written to it to settle (3 ns become 15). */
	return scaph_crc32c_slot(prefix, (const uint64_t *)slot);
}

void scaph_slot_seal(uint32_t prefix, struct scaph_slot *slot)
{
	slot->crc = slot_crc(prefix, slot);
}

enum scaph_slot_class scaph_slot_classify(const struct scaph_slot *slot, uint32_t tag,
					  uint64_t index, uint32_t prefix)
{
	uint64_t expected = scaph_seq_complete(tag, index);

	if (slot->seq == expected)
		return slot->crc == slot_crc(prefix, slot) ? SCAPH_SLOT_OK : SCAPH_SLOT_BAD;
	if (slot->seq == 0)
		return SCAPH_SLOT_EMPTY;
	if (scaph_seq_tag(slot->seq) != tag)
		return SCAPH_SLOT_FOREIGN;
	if (scaph_seq_is_busy(slot->seq))
		return SCAPH_SLOT_BUSY;
	return slot->seq < expected ? SCAPH_SLOT_OLD : SCAPH_SLOT_LAPPED;
}
