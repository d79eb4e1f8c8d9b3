/* SPDX-License-Identifier: Apache-2.0 */
/*
 * totals.h - a reader's own sums of differences between records
 *
 * Consecutive records that may be subtracted and know the same figures make a run, and a run's energy is its last record less
 * its first: nothing is added per record. Sums never step back, whatever the records do.
 */
#ifndef SCAPH_CONSUMER_TOTALS_H
#define SCAPH_CONSUMER_TOTALS_H

#include <stdbool.h>
#include <stdint.h>

#include "consumer/scaph.h"

struct scaph_totals {
	struct scaph_span ended; /* sum over all runs but the present one */
	struct scaph_record first; /* of the present run */
	struct scaph_record last;
	bool running;
};

/**
 * scaph_totals_extend() - records in order, straight behind those before
 * @records: one that knows no figure is of a window that is still open: it is passed over, the next one covers it too
 * @count:   any
 */
void scaph_totals_extend(struct scaph_totals *totals, const struct scaph_record *records,
			 uint32_t count);

void scaph_totals_sum(const struct scaph_totals *totals, struct scaph_span *ret);

#endif
