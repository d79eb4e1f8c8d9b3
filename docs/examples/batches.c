/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batches.c - all that the segment still holds, and then what comes, as comma-separated values
 *
 * Usage: batches PATH SECONDS
 */
#include <inttypes.h>
#include <scaph.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROOM 256

int main(int argc, char **argv)
{
	const struct scaph_options options = { .size = sizeof(options), .history = 1 };
	struct scaph_record record[ROOM];
	struct scaph_reader *reader;
	time_t end;
	size_t count;
	int r;

	if (argc != 3 || scaph_open(argv[1], &options, &reader) < 0)
		return 1;
	puts("epoch,number,mono_ns,package_uj,cpu_ns");
	end = time(NULL) + atoi(argv[2]);
	while (time(NULL) <= end) {
		r = scaph_next_many(reader, record, ROOM, &count);
		for (size_t i = 0; r == SCAPH_OK && i < count; i++)
			printf("%016" PRIx64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
			       record[i].epoch_id, record[i].number, record[i].mono_ns,
			       record[i].package_uj, record[i].cpu_ns);
		if (r < 0)
			break;
		if (r != SCAPH_OK)
			scaph_wait(reader, 200000000, 100000000);
	}
	scaph_close(reader);
	return 0;
}
