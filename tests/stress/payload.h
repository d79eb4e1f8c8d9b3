/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload.h - records that prove themselves: every field follows from epoch and index
 *
 * So a record made of two, or of the right number over wrong words, is told by whoever reads it,
 * whatever checksum and numbers say. breaks never falls within an epoch, as the writer wants it.
 */
#ifndef SCAPH_STRESS_PAYLOAD_H
#define SCAPH_STRESS_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "proto/layout.h"

#define PAYLOAD_STEP 0x9e3779b97f4a7c15ULL
#define PAYLOAD_BREAKS_SHIFT 24
#define PAYLOAD_FLAGS_MASK 0x1f1fU /* none of the critical ones */

static inline uint64_t payload_base(uint64_t epoch_id, uint64_t index)
{
	uint64_t x = epoch_id ^ (index * PAYLOAD_STEP);

	x = (x ^ (x >> 31)) * 0xbf58476d1ce4e5b9ULL;
	return x ^ (x >> 29);
}

static inline void payload_fill(struct scaph_slot *slot, uint64_t epoch_id, uint64_t index)
{
	uint64_t base = payload_base(epoch_id, index);

	slot->mono_ns = base;
	slot->package_uj = (base + 1) * PAYLOAD_STEP;
	slot->core_uj = (base + 2) * PAYLOAD_STEP;
	slot->dram_uj = (base + 3) * PAYLOAD_STEP;
	slot->idle_uj = (base + 4) * PAYLOAD_STEP;
	slot->cpu_ns = (base + 5) * PAYLOAD_STEP;
	slot->breaks = (uint16_t)(index >> PAYLOAD_BREAKS_SHIFT);
	slot->flags = (uint16_t)(base & PAYLOAD_FLAGS_MASK);
}

static inline bool payload_right(const struct scaph_slot *slot, uint64_t epoch_id, uint64_t index)
{
	struct scaph_slot wanted;

	payload_fill(&wanted, epoch_id, index);
	return slot->mono_ns == wanted.mono_ns && slot->package_uj == wanted.package_uj &&
	       slot->core_uj == wanted.core_uj && slot->dram_uj == wanted.dram_uj &&
	       slot->idle_uj == wanted.idle_uj && slot->cpu_ns == wanted.cpu_ns &&
	       slot->breaks == wanted.breaks && slot->flags == wanted.flags;
}

#endif
