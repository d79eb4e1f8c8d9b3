/* SPDX-License-Identifier: Apache-2.0 */
/*
 * figures.h - a verified record as programs get it
 *
 * The public struct scaph_record has this very layout (consumer/reader.c asserts it), so that what is taken out of a ring is
 * decoded once, from registers, where the program wants it: a second pass over each record doubled the cost of a stream.
 */
#ifndef SCAPH_SHM_FIGURES_H
#define SCAPH_SHM_FIGURES_H

#include <stdint.h>
#include <string.h>

#include "proto/layout.h"

struct scaph_figures {
	uint64_t epoch_id;
	uint64_t number;
	uint64_t mono_ns;
	uint64_t package_uj;
	uint64_t core_uj;
	uint64_t dram_uj;
	uint64_t idle_uj;
	uint64_t cpu_ns;
	uint32_t breaks;
	uint32_t flags;
};

/* Words of a slot that verified, into figures. */
static inline void scaph_figures_decode(struct scaph_figures *to, uint64_t epoch_id,
					uint64_t number, const uint64_t word[SCAPH_SLOT_WORDS])
{
	uint64_t counts;

	to->epoch_id = epoch_id;
	to->number = number;
	to->mono_ns = word[1];
	to->package_uj = word[2];
	to->core_uj = word[3];
	to->dram_uj = word[4];
	to->idle_uj = word[5];
	to->cpu_ns = word[6];
	/* As one word: compared as one, two stores would have to be waited for (15 ns in a stream's way). */
	counts = (word[7] & 0xffff) | (word[7] & 0xffff0000) << 16;
	memcpy(&to->breaks, &counts, sizeof(counts));
}

#endif
