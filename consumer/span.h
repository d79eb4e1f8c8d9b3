/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.h - energy between records, inside the library
 */
#ifndef SCAPH_CONSUMER_SPAN_H
#define SCAPH_CONSUMER_SPAN_H

#include "consumer/scaph.h"

/* Every figure that a record can have: one without any is of a window that is still open. */
#define SCAPH_HAS_ALL                                                                              \
	((uint32_t)SCAPH_HAS_PACKAGE | SCAPH_HAS_CORE | SCAPH_HAS_DRAM | SCAPH_HAS_IDLE |          \
	 SCAPH_HAS_CPU)

/* The shortest span over which power may be shown: a window or 20 ms, less the jitter of a closing window. */
uint64_t scaph_span_least_ns(uint64_t window_ns);

/* Add a span to a sum; a sum of duration 0 is empty. */
void scaph_span_add(struct scaph_span *sum, const struct scaph_span *span);

#endif
