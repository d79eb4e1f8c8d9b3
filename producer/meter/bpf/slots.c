/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots.c - taken, resting, free
 */
#include "producer/meter/bpf/slots.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "producer/meter/bpf/look.h"

/* Those that rest and are seen on no CPU are free. One that cannot be looked at may have any of them. */
static void wake(struct scaph_slots *slots, const struct scaph_runtime_cpu *lines, uint32_t cpus)
{
	bool seen[SCAPH_RUNTIME_SLOTS] = {};

	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		struct scaph_look_runner runner;

		if (!scaph_look_runner(&lines[cpu], &runner))
			return;
		if (runner.seen && runner.slot < SCAPH_RUNTIME_SLOTS)
			seen[runner.slot] = true;
	}
	slots->resting = 0;
	for (uint32_t slot = SCAPH_RUNTIME_FIRST; slot < SCAPH_RUNTIME_SLOTS; slot++) {
		if (slots->state[slot] == SCAPH_SLOT_RESTS && !seen[slot])
			slots->state[slot] = SCAPH_SLOT_FREE;
		slots->resting += slots->state[slot] == SCAPH_SLOT_RESTS;
	}
}

int scaph_slots_take(struct scaph_slots *slots, const struct scaph_runtime_cpu *lines,
		     uint32_t cpus)
{
	const uint8_t *free;

	if (slots->resting)
		wake(slots, lines, cpus);
	free = memchr(slots->state + SCAPH_RUNTIME_FIRST, SCAPH_SLOT_FREE,
		      SCAPH_RUNTIME_SLOTS - SCAPH_RUNTIME_FIRST);
	if (!free)
		return -ENOSPC;
	slots->state[free - slots->state] = SCAPH_SLOT_TAKEN;
	return (int)(free - slots->state);
}

void scaph_slots_give_back(struct scaph_slots *slots, uint32_t slot)
{
	slots->state[slot] = SCAPH_SLOT_RESTS;
	slots->resting++;
}
