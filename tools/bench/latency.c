/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency.c - from the store on one core to the first sight on the other
 *
 * The writer notes the time just before it publishes, the reader just after it has the record, verified, in its hands; both in
 * memory of their own, so that the clock is no part of what is sent. The floor is measured in the same way: a number
 * stored into a line and seen by whoever spins on that, for as many lines as a ring has. One line alone would not do: how
 * far it has to go depends on where in the processor its address has its home (118 to 173 ns here, from run to run).
 */
#include <stdatomic.h>

#include "proto/layout.h"
#include "tools/bench/bed.h"
#include "tools/bench/partner.h"
#include "tools/bench/ticks.h"
#include "tools/bench/topic.h"

#define EVENTS 2000U
#define LAP                                                                                        \
	4096U /* once round the ring first, so that its lines lie where they do in steady state */
#define BETWEEN_NS 1000

enum { LINE_ROW, ONEWAY_ROW };

static struct bench_row rows[] = {
	[LINE_ROW] = { "line", "bare cache line, store to sight, over 4,096 lines", NULL,
		       BENCH_NS },
	[ONEWAY_ROW] = { "oneway", "publish to next, store to sight", "line", BENCH_NS },
};

static struct bench_segment bed;
static struct scaph_reader *reader;
static struct bench_partner partner __attribute__((aligned(256)));
static struct scaph_record record __attribute__((aligned(256)));
static uint64_t sent[EVENTS] __attribute__((aligned(256)));
static uint64_t seen[EVENTS] __attribute__((aligned(256)));
static _Atomic uint64_t line[LAP][SCAPH_SLOT_WORDS] __attribute__((aligned(4096)));
static uint64_t lines_sent; /* in all rounds: each number is stored once */

static void open_latency(const struct bench_plan *plan)
{
	bench_segment_open(&bed, NS_PER_MS);
	reader = bench_reader_open(&bed, SCAPH_OPEN_COHERENT);
}

static void send_lines(struct bench_partner *self, void *context)
{
	uint64_t between = (uint64_t)(BETWEEN_NS / bench_ns_per_tick()), number = lines_sent;

	for (uint32_t i = 0; i < LAP; i++, number++) {
		bench_spin_ticks(between / 4);
		atomic_store_explicit(&line[number % LAP][0], number + 1, memory_order_release);
	}
	for (uint32_t i = 0; i < EVENTS; i++, number++) {
		bench_spin_ticks(between);
		sent[i] = bench_ticks();
		atomic_store_explicit(&line[number % LAP][0], number + 1, memory_order_release);
	}
}

static void send_records(struct bench_partner *self, void *context)
{
	uint64_t between = (uint64_t)(BETWEEN_NS / bench_ns_per_tick());

	for (uint32_t i = 0; i < LAP; i++) {
		bench_spin_ticks(between / 4);
		bench_publish(&bed);
	}
	for (uint32_t i = 0; i < EVENTS; i++) {
		struct scaph_slot slot;

		bench_spin_ticks(between);
		bench_record(&slot, bed.writer.next_index);
		sent[i] = bench_ticks();
		scaph_writer_publish(&bed.writer, &slot);
	}
}

static void add_all(struct bench_series *series)
{
	for (uint32_t i = 0; i < EVENTS; i++) {
		if (seen[i])
			bench_series_add(series, (double)(seen[i] - sent[i]) * bench_ns_per_tick());
		seen[i] = 0;
	}
}

static void lines(struct bench_series *series)
{
	uint64_t number = lines_sent;

	bench_partner_start(&partner, send_lines, NULL);
	for (uint32_t i = 0; i < LAP + EVENTS; i++, number++) {
		while (atomic_load_explicit(&line[number % LAP][0], memory_order_acquire) <= number)
			;
		if (i >= LAP)
			seen[i - LAP] = bench_ticks_after();
	}
	bench_partner_stop(&partner);
	lines_sent = number;
	add_all(series);
}

static void records(struct bench_series *series)
{
	struct scaph_reader *own = reader;
	uint64_t first, last = 0;

	while (scaph_next(own, &record) != SCAPH_EMPTY)
		;
	first = bed.writer.next_index + LAP;
	bench_partner_start(&partner, send_records, NULL);
	while (last < EVENTS - 1) {
		uint64_t ticks;

		if (scaph_next(own, &record) != SCAPH_OK)
			continue;
		ticks = bench_ticks_after();
		if (record.number < first)
			continue;
		last = record.number - first;
		seen[last] = ticks;
	}
	bench_partner_stop(&partner);
	add_all(series);
}

static void round_of_latency(const struct bench_plan *plan)
{
	if (!bench_has_partner())
		return;
	lines(&rows[LINE_ROW].series);
	records(&rows[ONEWAY_ROW].series);
}

static void close_latency(const struct bench_plan *plan)
{
	scaph_close(reader);
	bench_segment_close(&bed);
}

struct bench_topic bench_latency = {
	.title = "one way, core to core",
	.row = rows,
	.rows = sizeof(rows) / sizeof(rows[0]),
	.open = open_latency,
	.round = round_of_latency,
	.close = close_latency,
};
