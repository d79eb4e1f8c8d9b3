/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots.h - which slot stands for whom
 *
 * A slot that was given back rests until no CPU runs anybody who is charged to it: only then can it
 * stand for somebody else. Main thread.
 */
#ifndef SCAPH_PRODUCER_SLOTS_H
#define SCAPH_PRODUCER_SLOTS_H

#include <stdint.h>

#include "producer/meter/bpf/runtime.h"

enum scaph_slot_state { SCAPH_SLOT_FREE, SCAPH_SLOT_TAKEN, SCAPH_SLOT_RESTS };

struct scaph_slots {
	uint8_t state[SCAPH_RUNTIME_SLOTS]; /* enum scaph_slot_state */
	uint32_t resting;
};

/*
 * The lowest free slot, or -ENOSPC. @lines: looked at for who runs, if there are slots that rest.
 */
int scaph_slots_take(struct scaph_slots *slots, const struct scaph_runtime_cpu *lines,
		     uint32_t cpus);

/* Its processes are charged to nobody from their next turns on. */
void scaph_slots_give_back(struct scaph_slots *slots, uint32_t slot);

#endif
