/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bed.h - what measurements of ours lie on: segments on a tmpfs with the daemon's writer, and libscaph's readers
 *
 * The writer is shm/writer as scaphd links it, the reader is the shared library as a user's program links it: calls go
 * through the same tables as theirs. Every record carries its number in every figure, so that a wrong one is known.
 * Owner: one measurement.
 */
#ifndef SCAPH_BENCH_BED_H
#define SCAPH_BENCH_BED_H

#include <stdint.h>

#include "consumer/scaph.h"
#include "proto/layout.h"
#include "shm/segment.h"
#include "shm/writer.h"
#include "tools/bench/partner.h"

/* Apart from whatever the reader's thread touches, as in the daemon: two lines, for they are fetched in pairs. */
struct bench_segment {
	struct scaph_writer writer __attribute__((aligned(128)));
	struct scaph_segment segment;
	char path[64];
};

/* A fresh folder on a tmpfs, removed with all that is in it when the program ends. */
const char *bench_folder(void);

/**
 * bench_segment_open() - a segment of its own, adopted, nothing published
 * @window_ns: stated in it; decides the size of the ring: 4 s of windows, at least 1024 slots
 *
 * Ends the program with a word if there is no room.
 */
void bench_segment_open(struct bench_segment *bed, uint64_t window_ns);
void bench_segment_close(struct bench_segment *bed);

/* The next record: figures that grow as a guest's do, all of them known from its number. */
static inline void bench_record(struct scaph_slot *record, uint64_t number)
{
	record->mono_ns = number * 1000;
	record->package_uj = number * 3;
	record->core_uj = number * 2;
	record->dram_uj = number;
	record->idle_uj = number;
	record->cpu_ns = number * 500;
	record->breaks = 0;
	record->flags = SCAPH_FLAG_PACKAGE | SCAPH_FLAG_CORE | SCAPH_FLAG_DRAM | SCAPH_FLAG_IDLE |
			SCAPH_FLAG_CPU;
}

/* Whether a record is the one its number says. */
static inline int bench_record_right(const struct scaph_record *record)
{
	uint64_t number = record->number;

	return record->mono_ns == number * 1000 && record->package_uj == number * 3 &&
	       record->core_uj == number * 2 && record->dram_uj == number &&
	       record->idle_uj == number && record->cpu_ns == number * 500;
}

/* Publish the next record of the segment. */
void bench_publish(struct bench_segment *bed);

/* What a partner plays: publish as fast as it goes; context is the segment. */
void bench_write_flatout(struct bench_partner *partner, void *context);

/* A reader of the segment, in coherent or snapshot mode, proven: its first record was read. */
struct scaph_reader *bench_reader_open(struct bench_segment *bed, int mode);

#endif
