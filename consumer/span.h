/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.h - energy between records, inside the library
 */
#ifndef SCAPH_CONSUMER_SPAN_H
#define SCAPH_CONSUMER_SPAN_H

#include <stddef.h>
#include <string.h>

#include "consumer/scaph.h"

_Static_assert(offsetof(struct scaph_record, flags) == offsetof(struct scaph_record, breaks) + 4,
	       "one word");

/* Every figure that a record can have: one without any is of a window that is still open. */
#define SCAPH_HAS_ALL                                                                              \
	((uint32_t)SCAPH_HAS_PACKAGE | SCAPH_HAS_CORE | SCAPH_HAS_DRAM | SCAPH_HAS_IDLE |          \
	 SCAPH_HAS_CPU)

/*
 * A copy of a record, word by word: as a structure it would be moved in wider pieces, and those wait for words that were just
 * written (70 ns in the way of a record that is being waited for).
 */
static inline void scaph_record_copy(struct scaph_record *to, const struct scaph_record *from)
{
	to->epoch_id = from->epoch_id;
	to->number = from->number;
	to->mono_ns = from->mono_ns;
	to->package_uj = from->package_uj;
	to->core_uj = from->core_uj;
	to->dram_uj = from->dram_uj;
	to->idle_uj = from->idle_uj;
	to->cpu_ns = from->cpu_ns;
	memcpy(&to->breaks, &from->breaks,
	       sizeof(uint64_t)); /* and flags: written as one, so read as one */
}

/* The shortest span over which power may be shown: a window or 20 ms, less the jitter of a closing window. */
uint64_t scaph_span_least_ns(uint64_t window_ns);

/* Add a span to a sum; a sum of duration 0 is empty. */
void scaph_span_add(struct scaph_span *sum, const struct scaph_span *span);

#endif
