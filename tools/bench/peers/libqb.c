/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libqb.c - peer: the ring buffer of libqb, in files of the folder
 *
 * qb/qbrb.h: chunks of any size, either of a closed queue (as here) or overwriting the oldest. In its
 * favour: no semaphores, and one handle for both ends. A name with a slash is the path its files
 * begin with, "-header" and "-data" (measured with 2.0.6; the header does not say).
 */
#include "tools/bench/peers/peer.h"

#include <errno.h>
#include <limits.h>
#include <qb/qbrb.h>
#include <stdio.h>

#define RING 1024
/* qb_rb_space_used() of qb/qbrb.h: each chunk has a header of 8 bytes. */
#define CHUNK_BYTES (BENCH_RECORD_BYTES + 8)

static int ring_open(const char *folder, void **ret_state)
{
	char name[PATH_MAX];
	qb_ringbuffer_t *ring;
	int r;

	r = snprintf(name, sizeof(name), "%s/libqb", folder);
	if (r < 0 || (size_t)r >= sizeof(name))
		return -ENAMETOOLONG;
	errno = 0;
	ring = qb_rb_open(name, RING * CHUNK_BYTES,
			  QB_RB_FLAG_CREATE | QB_RB_FLAG_SHARED_THREAD | QB_RB_FLAG_NO_SEMAPHORE,
			  0);
	if (!ring)
		return errno ? -errno : -EIO;
	*ret_state = ring;
	return 0;
}

static void ring_publish(void *state, uint64_t first, uint32_t count)
{
	qb_ringbuffer_t *ring = state;

	for (uint64_t number = first; number != first + count; number++) {
		uint64_t words[BENCH_WORDS];

		bench_payload_fill(words, number);
		qb_rb_chunk_write(ring, words, sizeof(words));
	}
}

static void ring_read(void *state, uint32_t count, struct bench_tally *tally)
{
	qb_ringbuffer_t *ring = state;
	struct bench_tally seen = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		uint64_t words[BENCH_WORDS];
		ssize_t bytes = qb_rb_chunk_read(ring, words, sizeof(words), 0);

		if (bytes == sizeof(words))
			bench_payload_count(words, &seen);
		else if (bytes == -ETIMEDOUT)
			seen.empty++;
		else
			seen.bad++;
	}
	bench_tally_add(tally, &seen);
}

static void ring_close(void *state)
{
	qb_rb_close(state);
}

const struct bench_peer bench_peer_libqb = {
	.key = "libqb",
	.package = "libqb-dev",
	.lacks = "one reader, who writes to it; no checksum, no loss count; refuses when full",
	.capacity = RING,
	.open = ring_open,
	.publish = ring_publish,
	.read = ring_read,
	.close = ring_close,
};
