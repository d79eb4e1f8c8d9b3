/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - a segment read through libscaph as programs do: sleep, then every record that came meanwhile
 *
 * What is timed is the calls, the last of which says that there is no more. Each record is checked afterwards.
 */
#ifndef SCAPH_BENCH_STREAM_H
#define SCAPH_BENCH_STREAM_H

#include <stdint.h>

#include "consumer/scaph.h"
#include "tools/bench/guest/cost.h"

struct bench_stream {
	struct scaph_reader *reader;
	struct scaph_record *records; /* of one batch */
	uint64_t window_ns;
	uint64_t next_number;
	uint64_t delivered;
	uint64_t batches;
	uint64_t bad; /* not what was written, out of order, or no end where one is due */
	uint64_t preads;
	uint64_t pread_bytes;
	struct bench_cost cost;
	struct bench_series pread_ns; /* the preads' part of the cost, a record */
};

/* Open a share's folder and wait for the first records: 0, or a negative errno. */
int bench_stream_open(struct bench_stream *stream, const char *path, uint64_t window_ns);
void bench_stream_close(struct bench_stream *stream);

/* One batch: whatever there is. */
void bench_stream_read(struct bench_stream *stream);

/* Forget what was measured so far. */
void bench_stream_reset(struct bench_stream *stream);

#endif
