/* SPDX-License-Identifier: Apache-2.0 */
/*
 * totals.c - a program that links libscaph and shows its totals for ever: "package_uj cpu_ns epochs" a line
 *
 * Usage: totals SEGMENT. Ends when standard output is closed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "consumer/scaph.h"

int main(int argc, char **argv)
{
	struct scaph_options options = { .size = sizeof(options), .guard = 1 };
	struct scaph_reader *reader;
	struct scaph_record record;
	struct scaph_span span;
	unsigned int epochs = 0;

	if (argc != 2 || scaph_open(argv[1], &options, &reader))
		return EXIT_FAILURE;
	do {
		int r;

		scaph_wait(reader, 50000000, 20000000);
		while ((r = scaph_next(reader, &record)) == SCAPH_OK || r == SCAPH_LAPPED ||
		       r == SCAPH_EPOCH)
			epochs += r == SCAPH_EPOCH;
		scaph_totals(reader, &span);
	} while (printf("%" PRIu64 " %" PRIu64 " %u\n", span.package_uj, span.cpu_ns, epochs) > 0 &&
		 fflush(stdout) == 0);
	scaph_close(reader);
	return EXIT_SUCCESS;
}
