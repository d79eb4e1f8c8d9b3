/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.h - what a private copy of a slot says
 *
 * Pure functions over private memory: no I/O, no atomics, no state. shm/ makes the copies.
 */
#ifndef SCAPH_PROTO_SLOT_H
#define SCAPH_PROTO_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/layout.h"

/* What the slot where record `index` of epoch `tag` belongs holds, in the order in which it is found out. */
enum scaph_slot_class {
	SCAPH_SLOT_OK, /* the record asked for, checksum right */
	SCAPH_SLOT_EMPTY, /* seq 0: never written in this epoch */
	SCAPH_SLOT_FOREIGN, /* another epoch's tag */
	SCAPH_SLOT_BUSY, /* being written, or its writer died there */
	SCAPH_SLOT_OLD, /* an earlier record of this epoch: not written yet */
	SCAPH_SLOT_LAPPED, /* a later record of this epoch: the one asked for is gone */
	SCAPH_SLOT_BAD, /* the right number, a wrong checksum */
};

/**
 * scaph_slot_prefix() - raw CRC state that every record of one ring starts from
 * @epoch_id:   as in the descriptor
 * @uuid:       16 bytes, RFC 4122 order
 * @block_type: SCAPH_BLOCK_FAST or SCAPH_BLOCK_SLOW
 *
 * Source:   proto/SPEC.md, "Checksum".
 */
uint32_t scaph_slot_prefix(uint64_t epoch_id, const uint8_t uuid[SCAPH_UUID_BYTES],
			   uint32_t block_type);

/**
 * scaph_slot_seal() - set the checksum of a complete record in private memory
 * @prefix: see scaph_slot_prefix()
 * @slot:   seq in its final even form; crc is set
 */
void scaph_slot_seal(uint32_t prefix, struct scaph_slot *slot);

/**
 * scaph_slot_classify() - say what a private copy of a slot is
 * @slot:   the copy
 * @tag:    the epoch's tag
 * @index:  the record expected in this place
 * @prefix: see scaph_slot_prefix()
 *
 * A LAPPED or OLD verdict rests on the number alone, not on the checksum: it must only be acted on as the reading rules say
 * (proto/SPEC.md, "Reading").
 *
 * Return:   enum scaph_slot_class.
 */
enum scaph_slot_class scaph_slot_classify(const struct scaph_slot *slot, uint32_t tag,
					  uint64_t index, uint32_t prefix);

/* Whether a record is whole and usable by this code: no unknown critical flag. Only for copies classified OK. */
static inline bool scaph_slot_usable(const struct scaph_slot *slot)
{
	return !(slot->flags & SCAPH_FLAG_CRITICAL_MASK & ~SCAPH_FLAG_CRITICAL_KNOWN);
}

#endif
