/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rivals.c - the peers of tools/bench/peers at the same work, in the same rounds
 *
 * Publishing and reading are timed in batches of what a peer holds without being read; what holds only its newest record, in
 * batches of the same size. The text file is read beside its flat-out writer too, and every empty and every wrong read counted.
 */
#include "tools/bench/bed.h"
#include "tools/bench/partner.h"
#include "tools/bench/peers/peer.h"
#include "tools/bench/rivals.h"
#include "tools/bench/ticks.h"
#include "tools/bench/topic.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 1024U
#define ROUND_NS (4 * NS_PER_MS)
#define BESIDE_NS (300 * NS_PER_MS)

static struct bench_rival *rivals;
static struct bench_row *rows;
static struct bench_partner partner __attribute__((aligned(256)));

const struct bench_rival *bench_rivals_all(unsigned int *ret_count)
{
	*ret_count = bench_peers_count;
	return rivals;
}

static char *text(const char *format, const char *name)
{
	char *made;

	if (asprintf(&made, format, name) < 0)
		err(1, "no memory");
	return made;
}

static void open_rivals(const struct bench_plan *plan)
{
	rivals = calloc(bench_peers_count, sizeof(*rivals));
	rows = calloc(2 * bench_peers_count, sizeof(*rows));
	if (!rivals || !rows)
		err(1, "no memory");
	for (unsigned int i = 0; i < bench_peers_count; i++) {
		const struct bench_peer *peer = bench_peers[i];

		rivals[i].peer = peer;
		rivals[i].missing = !peer->open || peer->open(bench_folder(), &rivals[i].state) < 0;
		rows[2 * i] = (struct bench_row){ text("%s_publish", peer->key),
						  text("%s: publish", peer->key), "publish_hot",
						  BENCH_NS, .note = peer->lacks };
		rows[2 * i + 1] = (struct bench_row){ text("%s_read", peer->key),
						      text("%s: read", peer->key), "next",
						      BENCH_NS };
		rivals[i].publish = &rows[2 * i];
		rivals[i].read = &rows[2 * i + 1];
		if (rivals[i].missing)
			rows[2 * i].note = "missing";
	}
	bench_rivals.row = rows;
	bench_rivals.rows = 2 * bench_peers_count;
}

static void visit(struct bench_rival *rival)
{
	const struct bench_peer *peer = rival->peer;
	uint32_t batch = peer->capacity && peer->capacity < BATCH ? peer->capacity : BATCH;
	uint64_t published_ns = 0, read_ns = 0, count = 0;
	struct bench_tally tally = {};

	while (published_ns + read_ns < ROUND_NS) {
		uint64_t at_ns = bench_now_ns(), then_ns;

		peer->publish(rival->state, rival->next, batch);
		then_ns = bench_now_ns();
		peer->read(rival->state, batch, &tally);
		read_ns += bench_now_ns() - then_ns;
		published_ns += then_ns - at_ns;
		rival->next += batch;
		count += batch;
	}
	if (tally.records != count)
		errx(1, "%s: %llu of %llu records came back", peer->key,
		     (unsigned long long)tally.records, (unsigned long long)count);
	bench_series_add(&rival->publish->series, (double)published_ns / (double)count);
	bench_series_add(&rival->read->series, (double)read_ns / (double)count);
}

static void round_of_rivals(const struct bench_plan *plan)
{
	for (unsigned int i = 0; i < bench_peers_count; i++) {
		if (!rivals[i].missing)
			visit(&rivals[i]);
	}
}

static void publish_flatout(struct bench_partner *self, void *context)
{
	struct bench_rival *rival = context;

	while (!bench_partner_told_to_stop(self)) {
		rival->peer->publish(rival->state, rival->next, 16);
		rival->next += 16;
	}
}

static void read_beside_writer(struct bench_rival *rival, uint64_t span_ns)
{
	uint64_t from_ns;

	bench_partner_start(&partner, publish_flatout, rival);
	from_ns = bench_now_ns();
	while (bench_now_ns() - from_ns < span_ns)
		rival->peer->read(rival->state, 16, &rival->beside);
	bench_partner_stop(&partner);
}

static void close_rivals(const struct bench_plan *plan)
{
	for (unsigned int i = 0; i < bench_peers_count; i++) {
		struct bench_rival *rival = &rivals[i];

		if (rival->missing)
			continue;
		if (bench_has_partner() && !plan->ended &&
		    strcmp(rival->peer->key, "textfile") == 0)
			read_beside_writer(rival, plan->brief ? BESIDE_NS / 10 : BESIDE_NS);
		rival->peer->close(rival->state);
	}
}

struct bench_topic bench_rivals = {
	.title = "peers: 64-byte records, same flags",
	.open = open_rivals,
	.round = round_of_rivals,
	.close = close_rivals,
};
