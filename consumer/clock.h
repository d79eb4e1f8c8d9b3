/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - learning the offset between the host's clock and ours from looks at a segment
 */
#ifndef SCAPH_CONSUMER_CLOCK_H
#define SCAPH_CONSUMER_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "consumer/scaph.h"

static inline uint64_t scaph_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

/**
 * scaph_clock_observe() - scaph_latest(), with our clock before and after, noted on the reader's timeline
 * @ret_newest: set only on SCAPH_OK
 *
 * Return:   as scaph_latest().
 */
int scaph_clock_observe(struct scaph_reader *reader, struct scaph_record *ret_newest);

#endif
