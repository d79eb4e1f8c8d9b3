/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ivshmem.h - the newest record over ivshmem, through libscaph and without the checksum
 *
 * latest   scaph_latest() of a record that this reader has not seen: copied and its checksum verified
 * again    scaph_latest() while nothing is newer: the library knows the record already
 * bare     head, the slot it names, the sequence number looked at once more; no checksum and no other check of the
 *          library's. No program should read so: it shows what the transport costs where the CPU has no such instruction,
 *          as an emulated one has not.
 *
 * A single read is too short for a clock, so latest is what many readers take in a row when a record is new, each its own
 * first look at it; again and bare are loops.
 */
#ifndef SCAPH_BENCH_IVSHMEM_H
#define SCAPH_BENCH_IVSHMEM_H

#include <stdint.h>

#include "consumer/scaph.h"
#include "shm/access.h"
#include "tools/bench/guest/cost.h"

#define BENCH_IVSHMEM_READERS 64

struct bench_ivshmem {
	struct scaph_reader *readers[BENCH_IVSHMEM_READERS];
	struct scaph_record records[BENCH_IVSHMEM_READERS];
	struct scaph_access access; /* of the bare way */
	void *map; /* its mapping */
	uint64_t ring_offset;
	uint64_t mask;
	uint64_t last_number;
	uint64_t bad;
	struct bench_cost latest;
	struct bench_cost again;
	struct bench_cost bare;
};

/* Open a device's resource2 and wait for the first record: 0, or a negative errno. */
int bench_ivshmem_open(struct bench_ivshmem *shm, const char *path);
void bench_ivshmem_close(struct bench_ivshmem *shm);

/* One sample of each. */
void bench_ivshmem_read(struct bench_ivshmem *shm);

#endif
