/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dram.h - whether dram energy is divided by memory traffic, and the weights for it
 *
 * Once a second the main thread looks at traffic and notes each domain's; the publisher takes those
 * weights for the windows of the next second. Windows are far shorter than that: the weights are what
 * was a second ago, and records say that they rest on them. If traffic is not known of every domain,
 * CPU time divides dram energy as it does all other.
 */
#ifndef SCAPH_PRODUCER_DRAM_H
#define SCAPH_PRODUCER_DRAM_H

#include <stdbool.h>

#include "producer/meter/traffic.h"
#include "producer/publish/publisher.h"

struct scaph_dram {
	struct scaph_publisher *publisher;
	struct scaph_traffic *traffic;
	int timer_fd; /* readable when a look is due */
	uint32_t soon; /* looks in a row that were no more than a beginning */
	bool said, by_traffic; /* what the log has last said */
};

/* Descriptor and memory: 0 or a negative errno. Nothing is looked at yet. */
int scaph_dram_open(struct scaph_dram *dram, struct scaph_publisher *publisher,
		    const struct scaph_config *config, const struct scaph_topology *topology);
void scaph_dram_close(struct scaph_dram *dram);

/* Main thread: look, note, say what has changed, and ask for the next look in a second. */
void scaph_dram_act(struct scaph_dram *dram);

/* Publisher: take what was noted into all entries; under its lock. */
void scaph_dram_take(struct scaph_publisher *publisher);

/* Publisher: whether every domain has a weight that still holds at this time (CLOCK_MONOTONIC). */
bool scaph_dram_by_traffic(const struct scaph_publisher *publisher, uint64_t now_ns);

#endif
