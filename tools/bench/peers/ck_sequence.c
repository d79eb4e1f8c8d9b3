/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ck_sequence.c - peer: one place guarded by Concurrency Kit's sequence lock
 *
 * ck_sequence(3) as its manual shows it, the words moved by ck_pr as it asks for shared data. In its
 * favour: nothing is copied twice, and the record is made in registers.
 */
#include "tools/bench/peers/peer.h"

#include <ck_sequence.h>
#include <errno.h>
#include <stdlib.h>

#include "tools/bench/peers/mapping.h"

struct sequence_place {
	ck_sequence_t sequence;
	uint64_t words[BENCH_WORDS] __attribute__((aligned(BENCH_LINE_BYTES)));
};

struct sequence {
	struct bench_mapping mapping;
	struct sequence_place *place;
};

static int sequence_open(const char *folder, void **ret_state)
{
	struct sequence *peer;
	int r;

	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	r = bench_mapping_init(&peer->mapping, folder, "ck_sequence", sizeof(*peer->place));
	if (r) {
		free(peer);
		return r;
	}
	peer->place = peer->mapping.bytes;
	ck_sequence_init(&peer->place->sequence);
	*ret_state = peer;
	return 0;
}

static void sequence_publish(void *state, uint64_t first, uint32_t count)
{
	struct sequence_place *place = ((struct sequence *)state)->place;

	for (uint64_t number = first; number != first + count; number++) {
		uint64_t words[BENCH_WORDS];

		bench_payload_fill(words, number);
		ck_sequence_write_begin(&place->sequence);
		ck_pr_store_64(&place->words[0], words[0]);
		ck_pr_store_64(&place->words[1], words[1]);
		ck_pr_store_64(&place->words[2], words[2]);
		ck_pr_store_64(&place->words[3], words[3]);
		ck_pr_store_64(&place->words[4], words[4]);
		ck_pr_store_64(&place->words[5], words[5]);
		ck_pr_store_64(&place->words[6], words[6]);
		ck_pr_store_64(&place->words[7], words[7]);
		ck_sequence_write_end(&place->sequence);
	}
}

/* One attempt is as many rounds as ck needs: it offers no other way, and gives up never. */
static void sequence_read(void *state, uint32_t count, struct bench_tally *tally)
{
	const struct sequence_place *place = ((struct sequence *)state)->place;
	struct bench_tally seen = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		uint64_t words[BENCH_WORDS];
		unsigned version;

		do {
			version = ck_sequence_read_begin(&place->sequence);
			words[0] = ck_pr_load_64(&place->words[0]);
			words[1] = ck_pr_load_64(&place->words[1]);
			words[2] = ck_pr_load_64(&place->words[2]);
			words[3] = ck_pr_load_64(&place->words[3]);
			words[4] = ck_pr_load_64(&place->words[4]);
			words[5] = ck_pr_load_64(&place->words[5]);
			words[6] = ck_pr_load_64(&place->words[6]);
			words[7] = ck_pr_load_64(&place->words[7]);
		} while (ck_sequence_read_retry(&place->sequence, version));
		bench_payload_count_place(words, &seen);
	}
	bench_tally_add(tally, &seen);
}

static void sequence_close(void *state)
{
	struct sequence *peer = state;

	bench_mapping_deinit(&peer->mapping);
	free(peer);
}

const struct bench_peer bench_peer_ck_sequence = {
	.key = "ck_sequence",
	.package = "libck-dev",
	.lacks = "no history, no loss count, no checksum; a reader spins for ever on a writer that "
		 "died",
	.capacity = 0,
	.open = sequence_open,
	.publish = sequence_publish,
	.read = sequence_read,
	.close = sequence_close,
};
