/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampling.h - how often counters are read and steps looked for, beside the windows' ends
 *
 * Only exact windows gain from that: while no trusted domain is in, counters are read as often as is
 * needed that none wraps unseen, and steps are not looked for. To keep to a CPU budget it is lowered in
 * steps. How long windows are is the epoch's, and not changed here. Publisher thread; the first and the
 * last call are the main thread's, with no other.
 */
#ifndef SCAPH_PRODUCER_SAMPLING_H
#define SCAPH_PRODUCER_SAMPLING_H

#include "producer/publish/publisher.h"

/* Before the first window. */
void scaph_sampling_begin(struct scaph_publisher *publisher, uint64_t now_ns);

/* Someone came or left: sampling as they and the budget have it. */
void scaph_sampling_apply(struct scaph_publisher *publisher);

/* Whether windows are to end at steps. */
bool scaph_sampling_at_steps(const struct scaph_publisher *publisher);

/* Once a second, before the status is told. */
void scaph_sampling_second(struct scaph_publisher *publisher, uint64_t now_ns);

/* What was done, for the host's totals. */
void scaph_sampling_tell(const struct scaph_publisher *publisher, struct scaph_status *status);

#endif
