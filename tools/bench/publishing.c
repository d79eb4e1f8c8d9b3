/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publishing.c - what a record costs the daemon: hot, over a thousand segments in turn, and at its real pace
 */
#include "tools/bench/bed.h"
#include "tools/bench/partner.h"
#include "tools/bench/ticks.h"
#include "tools/bench/topic.h"

#define HOT 100000
#define SEGMENTS 1000U
#define TURNS 50U
#define SPREAD 61U
#define WINDOW_NS (20 * NS_PER_MS)
#define TICKED 100

enum { HOT_ROW, COLD_ROW, FIRST_ROW, ALIGNED_ROW, TICK_ROW };

static struct bench_row rows[] = {
	[HOT_ROW] = { "publish_hot", "publish with checksum, hot", "copy64", BENCH_NS },
	[COLD_ROW] = { "publish_cold", "publish over 1,000 segments in turn", "copy64", BENCH_NS },
	[FIRST_ROW] = { "publish_cold_first", "  the first turn, all of it out of the caches",
			"copy64", BENCH_NS },
	[ALIGNED_ROW] = { "publish_cold_aligned", "  when all began in the same window", "copy64",
			  BENCH_NS },
	[TICK_ROW] = { "publish_tick", "publish at 1 kHz beside a spinning reader", "line",
		       BENCH_NS },
};

static struct bench_segment hot, ticked, many[SEGMENTS];
static struct scaph_reader *spinner;
static struct bench_partner partner __attribute__((aligned(256)));

static void open_publishing(const struct bench_plan *plan)
{
	bench_segment_open(&hot, NS_PER_MS);
	bench_segment_open(&ticked, NS_PER_MS);
	for (uint32_t i = 0; i < SEGMENTS; i++)
		bench_segment_open(&many[i], WINDOW_NS);
	spinner = bench_reader_open(&ticked, SCAPH_OPEN_COHERENT);
}

static void publish_hot(struct bench_series *series)
{
	uint64_t from_ns = bench_now_ns();

	for (int i = 0; i < HOT; i++)
		bench_publish(&hot);
	bench_series_add(series, (double)(bench_now_ns() - from_ns) / HOT);
}

/* As the daemon does at a window's end. */
static void turn(void)
{
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		if (i + SCAPH_WRITER_AHEAD < SEGMENTS)
			scaph_writer_prefetch(&many[i + SCAPH_WRITER_AHEAD].writer);
		bench_publish(&many[i]);
	}
}

/* The first turn finds them thrown out by all that was measured before. */
static void publish_turns(struct bench_series *series, struct bench_series *first)
{
	uint64_t from_ns = bench_now_ns(), then_ns;

	turn();
	then_ns = bench_now_ns();
	if (first)
		bench_series_add(first, (double)(then_ns - from_ns) / SEGMENTS);
	for (uint32_t i = 0; i < TURNS; i++)
		turn();
	bench_series_add(series, (double)(bench_now_ns() - then_ns) / (TURNS * SEGMENTS));
}

/* Domains come when they come: their next slots lie at different places of a page. */
static void scatter(void)
{
	for (uint32_t i = 0; i < SEGMENTS; i++)
		many[i].writer.next_index += i % SPREAD;
}

/* As when all began with the daemon: in the caches all next slots want the same few places. */
static void align(void)
{
	uint64_t index = many[SPREAD - 1].writer.next_index;

	for (uint32_t i = 0; i < SEGMENTS; i++)
		many[i].writer.next_index = index;
}

static void spin(struct bench_partner *self, void *context)
{
	struct scaph_record record;

	while (!bench_partner_told_to_stop(self)) {
		for (int i = 0; i < 64; i++)
			scaph_next(context, &record);
	}
}

static void publish_ticked(struct bench_series *series)
{
	uint64_t due_ns = bench_now_ns();

	for (int i = 0; i < TICKED; i++) {
		uint64_t from;

		bench_sleep_until(due_ns += NS_PER_MS);
		from = bench_ticks();
		bench_publish(&ticked);
		bench_series_add(series,
				 (double)(bench_ticks_after() - from) * bench_ns_per_tick());
	}
}

static void round_of_publishing(const struct bench_plan *plan)
{
	publish_hot(&rows[HOT_ROW].series);
	scatter();
	publish_turns(&rows[COLD_ROW].series, &rows[FIRST_ROW].series);
	align();
	publish_turns(&rows[ALIGNED_ROW].series, NULL);
	if (!bench_has_partner())
		return;
	bench_partner_start(&partner, spin, spinner);
	publish_ticked(&rows[TICK_ROW].series);
	bench_partner_stop(&partner);
}

static void close_publishing(const struct bench_plan *plan)
{
	scaph_close(spinner);
	bench_segment_close(&hot);
	bench_segment_close(&ticked);
	for (uint32_t i = 0; i < SEGMENTS; i++)
		bench_segment_close(&many[i]);
}

struct bench_topic bench_publishing = {
	.title = "publishing",
	.row = rows,
	.rows = sizeof(rows) / sizeof(rows[0]),
	.open = open_publishing,
	.round = round_of_publishing,
	.close = close_publishing,
};
