/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - the energy of one command: records laid over the time it ran, on this machine's clock
 *
 * A record's time is the host's. Each is seen here a little after its window ends, never before: the least delay of the last
 * seconds is taken as none, which places records to within that delay. The two windows at the command's ends are taken in
 * proportion, and what they could be wrong by at the most is the bound.
 *
 * Pure: no I/O, no clock. Time is CLOCK_MONOTONIC in ns. Owner: one thread.
 */
#ifndef SCAPH_RUN_LEDGER_H
#define SCAPH_RUN_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "consumer/scaph.h"

#define SCAPH_LEDGER_HELD 2048U /* records: more than a second at any rate */
#define SCAPH_LEDGER_PEAK_NS 50000000ULL

/* What came out of it. */
struct scaph_account {
	uint64_t covered_ns; /* of the command's time there are figures for so much */
	uint64_t records; /* whose windows ended in the command's time */
	uint64_t gaps; /* spans in it between whose ends nothing may be subtracted */
	double package_uj, core_uj, dram_uj, idle_uj, cpu_ns;
	double bound_uj; /* package_uj is at most this far from the truth of the windows at its ends */
	uint64_t peak_uw; /* highest mean over 50 ms, or over a window if that is longer */
	bool has_peak;
	uint32_t flags; /* enum scaph_record_flag: what is known throughout */
};

struct scaph_ledger {
	struct scaph_record
		held[SCAPH_LEDGER_HELD]; /* not yet accounted for; the first is, as the one before */
	uint32_t first, count;
	bool begun, ended;
	uint64_t begin_ns, end_ns;
	int64_t delay_ns[2]; /* the least "seen less host's time" of this and of the last ten seconds */
	uint64_t delay_since_ns;
	bool has_delay;
	struct scaph_record trail[256]; /* of the last 50 ms and one more */
	uint32_t trail_first, trail_count;
	uint64_t window_ns;
	struct scaph_account account;
};

/* A record, in order, seen at @seen_ns. */
void scaph_ledger_record(struct scaph_ledger *ledger, const struct scaph_record *record,
			 uint64_t seen_ns);

/* Before BEGIN that many records have been seen, and a record of the time is awaited. */
void scaph_ledger_begin(struct scaph_ledger *ledger, uint64_t at_ns);
void scaph_ledger_end(struct scaph_ledger *ledger, uint64_t at_ns);

/* Whether a record has been seen that ends after the command did. */
bool scaph_ledger_is_past(const struct scaph_ledger *ledger);

/* After the end: everything that is still held. */
const struct scaph_account *scaph_ledger_close(struct scaph_ledger *ledger);

#endif
