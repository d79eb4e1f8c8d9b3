/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newest.c - whose energy it is, and what has been used so far
 *
 * Usage: newest PATH
 */
#include <inttypes.h>
#include <scaph.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv)
{
	const struct scaph_options options = { .size = sizeof(options),
					       .mode = SCAPH_OPEN_AUTO,
					       .guard = 1 };
	struct scaph_info info = { .size = sizeof(info) };
	struct scaph_reader *reader;
	struct scaph_record record;
	int r;

	r = argc == 2 ? scaph_open(argv[1], &options, &reader) : -1;
	if (r < 0) {
		fprintf(stderr, "newest: %s: %s\n", argc == 2 ? argv[1] : "PATH", strerror(-r));
		return 1;
	}
	/* Nothing is shown before the file was seen to live: that takes a window. */
	for (int i = 0; i < 500; i++) {
		r = scaph_latest(reader, &record);
		if (r != SCAPH_UNPROVEN && r != SCAPH_EMPTY)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	if (r == SCAPH_OK && scaph_describe(reader, &info) == SCAPH_OK) {
		printf("%s by %s and %s%s, windows of %" PRIu64 " ms, read %s\n",
		       info.is_host ? "the host" : info.uuid, info.source, info.meter,
		       info.is_estimated ? ", an estimate" : "", info.window_ns / 1000000,
		       info.mode);
		if (record.flags & SCAPH_HAS_PACKAGE)
			printf("record %" PRIu64 ": %.6f J\n", record.number,
			       (double)record.package_uj / 1e6);
	} else {
		fprintf(stderr, "newest: no figure: %s\n", scaph_reason(reader));
	}
	scaph_close(reader);
	return r != SCAPH_OK;
}
