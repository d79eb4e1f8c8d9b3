/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow.c - each record as it comes: energy since the one before, mean power of the last second, and what stood in the way
 *
 * Usage: follow PATH RECORDS
 */
#include <inttypes.h>
#include <scaph.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(int result)
{
	switch (result) {
	case SCAPH_LAPPED:
		return "some records are lost";
	case SCAPH_EPOCH:
		return "a new epoch: nothing is subtracted across it";
	case SCAPH_UNPROVEN:
		return "not seen to live yet";
	default:
		return NULL;
	}
}

static void show(struct scaph_reader *reader, const struct scaph_record *before,
		 const struct scaph_record *record)
{
	struct scaph_span step, second;

	if (scaph_between(before, record, &step) == SCAPH_OK)
		printf("%" PRIu64 ": %" PRIu64 " uJ", record->number, step.package_uj);
	else
		printf("%" PRIu64 ": no difference", record->number);
	if (scaph_window(reader, 1000000000, &second) == SCAPH_OK)
		printf(", %.3f W over the last %.2f s", (double)second.power_uw / 1e6,
		       (double)second.duration_ns / 1e9);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct scaph_record record, before = {};
	struct scaph_reader *reader;
	struct scaph_span total;
	int left, r;

	if (argc != 3 || (r = scaph_open(argv[1], NULL, &reader)) < 0)
		return 1;
	left = atoi(argv[2]);
	/* In batches of 50 ms; 0 would wake for each record. */
	while (left > 0 && scaph_wait(reader, 2000000000, 50000000) == 0) {
		while (left > 0 && (r = scaph_next(reader, &record)) == SCAPH_OK) {
			if (before.epoch_id)
				show(reader, &before, &record);
			before = record;
			left--;
		}
		if (name_of(r))
			printf("# %s\n", name_of(r));
		else if (r != SCAPH_OK && r != SCAPH_EMPTY)
			break; /* stale, withheld, refused, or an error */
	}
	if (left > 0)
		fprintf(stderr, "follow: nothing for %.1f s: %s\n",
			(double)scaph_age_ns(reader) / 1e9, scaph_reason(reader));
	scaph_totals(reader, &total);
	printf("total: %" PRIu64 " uJ in %.3f s, %" PRIu64 " records lost\n", total.package_uj,
	       (double)total.duration_ns / 1e9, scaph_lost(reader));
	scaph_close(reader);
	return left > 0;
}
