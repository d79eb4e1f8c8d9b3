/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ck_ring.c - peer: Concurrency Kit's ring for one producer and one consumer, over a pool of records
 *
 * ck_ring carries pointers, so the records lie in a pool beside it. In its favour: they are checked
 * where they lie, not copied out, and there is no list of free ones. The producer reserves a place in
 * the ring before it touches a record: fewer than RING later ones have then been put in, so that the
 * consumer has taken one after the record's last, and is done with that.
 */
#include "tools/bench/peers/peer.h"

#include <ck_ring.h>
#include <errno.h>
#include <stdlib.h>

#include "tools/bench/peers/mapping.h"

#define RING 1024

struct ring_record {
	uint64_t words[BENCH_WORDS] __attribute__((aligned(BENCH_LINE_BYTES)));
};

struct ring_memory {
	ck_ring_t ring;
	ck_ring_buffer_t buffer[RING] __attribute__((aligned(BENCH_LINE_BYTES)));
	struct ring_record pool[RING];
};

struct ring {
	struct bench_mapping mapping;
	struct ring_memory *memory;
	uint64_t written; /* the producer's */
};

static int ring_open(const char *folder, void **ret_state)
{
	struct ring *peer;
	int r;

	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	r = bench_mapping_init(&peer->mapping, folder, "ck_ring", sizeof(*peer->memory));
	if (r) {
		free(peer);
		return r;
	}
	peer->memory = peer->mapping.bytes;
	ck_ring_init(&peer->memory->ring, RING);
	*ret_state = peer;
	return 0;
}

static void ring_publish(void *state, uint64_t first, uint32_t count)
{
	struct ring *peer = state;
	struct ring_memory *memory = peer->memory;
	uint64_t written = peer->written;

	for (uint64_t number = first; number != first + count; number++) {
		void **place = ck_ring_enqueue_reserve_spsc(&memory->ring, memory->buffer);
		struct ring_record *record = &memory->pool[written % RING];

		if (!place)
			continue;
		bench_payload_fill(record->words, number);
		*place = record;
		ck_ring_enqueue_commit_spsc(&memory->ring);
		written++;
	}
	peer->written = written;
}

static void ring_read(void *state, uint32_t count, struct bench_tally *tally)
{
	struct ring_memory *memory = ((struct ring *)state)->memory;
	struct bench_tally seen = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		struct ring_record *record;

		if (!ck_ring_dequeue_spsc(&memory->ring, memory->buffer, &record)) {
			seen.empty++;
			continue;
		}
		bench_payload_count(record->words, &seen);
		/* The next dequeue gives the record back: all of it has been read by then. */
		ck_pr_fence_load_store();
	}
	bench_tally_add(tally, &seen);
}

static void ring_close(void *state)
{
	struct ring *peer = state;

	bench_mapping_deinit(&peer->mapping);
	free(peer);
}

const struct bench_peer bench_peer_ck_ring = {
	.key = "ck_ring",
	.package = "libck-dev",
	.lacks = "one reader, who writes to it; no checksum, no loss count; pointers of one "
		 "process; refuses when full",
	.capacity = RING - 1,
	.open = ring_open,
	.publish = ring_publish,
	.read = ring_read,
	.close = ring_close,
};
