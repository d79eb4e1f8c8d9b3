/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h - what else one could take to hand a 64-byte record from a writer to a reader, each as a row of functions
 *
 * Every peer does the same work: a record of eight 64-bit words that tell its number, made where
 * the peer wants it, given by one thread and taken by another of the same process, and checked by
 * whoever took it. Each has its loop within publish() and read(), so that what it offers inline is
 * inlined and no call through this table is measured. Where a choice was open it was made in the
 * peer's favour; the comment at the head of each file says which.
 *
 * One thread may be in publish() while another one is in read(). open() and close() run alone in
 * the process: one of them sets an environment variable. The numbers published through one state
 * begin anywhere and only grow.
 */
#ifndef SCAPH_BENCH_PEER_H
#define SCAPH_BENCH_PEER_H

#include <stdbool.h>
#include <stdint.h>

#define BENCH_WORDS 8
#define BENCH_RECORD_BYTES 64
#define BENCH_LINE_BYTES 64

/* Of attempts to read: a record that is right; nothing there; torn, or not to be understood. */
struct bench_tally {
	uint64_t records;
	uint64_t empty;
	uint64_t bad;
};

struct bench_peer {
	const char *key; /* its name in the JSON */
	const char *package; /* of Debian that it is built from; NULL: the system's own */
	const char *lacks; /* for people: what it does not do that a segment does */
	uint32_t capacity; /* publishes without a read that all go in; 0: any number */

	/**
	 * open() - make both ends
	 * @folder:    an existing directory on tmpfs; what appears there is gone after close()
	 * @ret_state: set only on 0
	 *
	 * Return: 0 or a negative errno. NULL instead of a function: not in this build.
	 */
	int (*open)(const char *folder, void **ret_state);

	/* The records first, first + 1, ... Never blocks: what a full queue refuses is dropped. */
	void (*publish)(void *state, uint64_t first, uint32_t count);

	/* That many attempts to take one record. Adds to what is in the tally. */
	void (*read)(void *state, uint32_t count, struct bench_tally *tally);

	void (*close)(void *state);
};

/* Fixed order, cheapest means first. */
extern const struct bench_peer *const bench_peers[];
extern const unsigned bench_peers_count;

extern const struct bench_peer bench_peer_ck_sequence;
extern const struct bench_peer bench_peer_ck_ring;
extern const struct bench_peer bench_peer_libqb;
extern const struct bench_peer bench_peer_mmv;
extern const struct bench_peer bench_peer_unix_dgram;
extern const struct bench_peer bench_peer_pipe;
extern const struct bench_peer bench_peer_textfile;

/* Odd, so that no two numbers share it; each bit of the number reaches all higher ones. */
#define BENCH_PAYLOAD_FACTOR 0x9e3779b97f4a7c15ULL

/* Written out: gcc 12 at -O2 leaves such loops rolled. */
static inline void bench_payload_fill(uint64_t words[BENCH_WORDS], uint64_t number)
{
	uint64_t mixed = number * BENCH_PAYLOAD_FACTOR;

	words[0] = number;
	words[1] = mixed + 1;
	words[2] = mixed + 2;
	words[3] = mixed + 3;
	words[4] = mixed + 4;
	words[5] = mixed + 5;
	words[6] = mixed + 6;
	words[7] = mixed + 7;
}

/*
 * Whether these are the words of one record. One word that is wrong in any bit is always seen, and
 * so is each mixture of two records: of k of the words 1 to 6 being another record's the sum is off
 * by k times their distance, which for k up to 6 is zero for no two numbers below 2^61.
 */
static inline bool bench_payload_check(const uint64_t words[BENCH_WORDS])
{
	uint64_t mixed = words[0] * BENCH_PAYLOAD_FACTOR;
	uint64_t sum = (words[1] + words[2]) + (words[3] + words[4]) + (words[5] + words[6]);

	return words[7] == mixed + 7 && sum == 6 * mixed + 21;
}

static inline void bench_payload_count(const uint64_t words[BENCH_WORDS], struct bench_tally *tally)
{
	if (__builtin_expect(bench_payload_check(words), 1))
		tally->records++;
	else
		tally->bad++;
}

/* The same for a place that holds one record, and zeros before the first. */
static inline void bench_payload_count_place(const uint64_t words[BENCH_WORDS],
					     struct bench_tally *tally)
{
	if (__builtin_expect(!(words[0] | words[7]), 0))
		tally->empty++;
	else
		bench_payload_count(words, tally);
}

static inline void bench_tally_add(struct bench_tally *tally, const struct bench_tally *seen)
{
	tally->records += seen->records;
	tally->empty += seen->empty;
	tally->bad += seen->bad;
}

#endif
