/* SPDX-License-Identifier: Apache-2.0 */
/*
 * streaming.c - every record in order: beside a writer that never pauses, out of a full ring, and by preads
 */
#include <err.h>
#include <stdatomic.h>

#include "shm/words.h"
#include "tools/bench/bed.h"
#include "tools/bench/partner.h"
#include "tools/bench/ticks.h"
#include "tools/bench/topic.h"

#define WINDOW_NS NS_PER_MS /* 4,096 slots */
#define BATCH 128
#define LINES 4096U
#define SLICE_NS (20 * NS_PER_MS)
#define PAUSE_NS 1000 /* when caught up: who looks sooner takes the line from the writer's hands */

enum { LINES_ROW, STREAM_ROW, LOST_ROW, ONE_ROW, DRAIN_ROW, SNAPSHOT_ROW };

static struct bench_row rows[] = {
	[LINES_ROW] = { "line_stream", "bare lines beside who stores them flat out", NULL,
			BENCH_MREC_S },
	[STREAM_ROW] = { "stream", "next_many beside a flat-out writer", "line_stream",
			 BENCH_MREC_S },
	[LOST_ROW] = { "stream_lost", "  records lost a slice of 20 ms, counted", NULL,
		       BENCH_COUNT },
	[ONE_ROW] = { "next", "next, one by one, out of a full ring", "copy64", BENCH_NS },
	[DRAIN_ROW] = { "drain", "next_many out of a full ring", "copy64", BENCH_NS },
	[SNAPSHOT_ROW] = { "snapshot", "next_many by preads of 64 KiB from tmpfs", NULL,
			   BENCH_MREC_S },
};

static struct bench_segment bed;
static struct scaph_reader *streamer;
static struct bench_partner partner __attribute__((aligned(256)));
static struct scaph_record records[BATCH] __attribute__((aligned(256)));
static _Atomic uint64_t line[LINES][SCAPH_SLOT_WORDS] __attribute__((aligned(4096)));

static void open_streaming(const struct bench_plan *plan)
{
	bench_segment_open(&bed, WINDOW_NS);
	streamer = bench_reader_open(&bed, SCAPH_OPEN_COHERENT);
}

static void check(const struct scaph_record *record)
{
	if (!bench_record_right(record))
		errx(1, "record %llu is wrong", (unsigned long long)record->number);
}

static void write_lines(struct bench_partner *self, void *context)
{
	for (uint64_t number = 0; !bench_partner_told_to_stop(self); number++) {
		_Atomic uint64_t *to = line[number % LINES];

#pragma GCC unroll 8
		for (unsigned int word = 1; word < SCAPH_SLOT_WORDS; word++)
			scaph_word_store(&to[word], number);
		atomic_store_explicit(&to[0], number + 1, memory_order_release);
	}
}

/* Up to a batch of lines from *next on; a reader that was lapped goes on where the writer is. */
static uint32_t take_lines(uint64_t *next)
{
	uint64_t to[SCAPH_SLOT_WORDS];
	uint32_t count = 0;

	for (; count < BATCH; count++) {
		const _Atomic uint64_t *from = line[*next % LINES];
		uint64_t held = atomic_load_explicit(&from[0], memory_order_acquire);

		if (held <= *next)
			break;
#pragma GCC unroll 8
		for (unsigned int word = 1; word < SCAPH_SLOT_WORDS; word++)
			to[word] = scaph_word_load(&from[word]);
		__asm__ volatile("" : : "r"(to) : "memory");
		*next = held;
	}
	return count;
}

/*
 * The floor: a line for a record, by the same rules, and nothing in it. How many lines a second go from core to core while both
 * sides are after them is the processor's matter: 27 to 140 million.
 */
static void stream_lines(struct bench_series *series)
{
	uint64_t pause = (uint64_t)(PAUSE_NS / bench_ns_per_tick());
	uint64_t from_ns, took_ns, next = 0, delivered = 0;

	for (uint32_t i = 0; i < LINES; i++)
		scaph_word_store(&line[i][0], 0);
	bench_partner_start(&partner, write_lines, NULL);
	from_ns = bench_now_ns();
	do {
		uint32_t count = take_lines(&next);

		delivered += count;
		if (count < BATCH)
			bench_spin_ticks(pause);
		took_ns = bench_now_ns() - from_ns;
	} while (took_ns < SLICE_NS);
	bench_series_add(series, (double)delivered * 1000 / (double)took_ns);
	bench_partner_stop(&partner);
}

static void stream(struct bench_series *series, struct bench_series *lost)
{
	uint64_t from_ns, took_ns, lost_before, delivered = 0;
	uint64_t pause = (uint64_t)(PAUSE_NS / bench_ns_per_tick());

	bench_partner_start(&partner, bench_write_flatout, &bed);
	/* What came before this slice is not its business. */
	while (scaph_next(streamer, records) != SCAPH_LAPPED)
		;
	lost_before = scaph_lost(streamer);
	from_ns = bench_now_ns();
	do {
		size_t count = 0;

		if (scaph_next_many(streamer, records, BATCH, &count) == SCAPH_OK)
			check(&records[count - 1]);
		delivered += count;
		if (count < BATCH)
			bench_spin_ticks(pause);
		took_ns = bench_now_ns() - from_ns;
	} while (took_ns < SLICE_NS);
	bench_series_add(series, (double)delivered * 1000 / (double)took_ns);
	bench_series_add(lost, (double)(scaph_lost(streamer) - lost_before));
	bench_partner_stop(&partner);
}

/* A reader that stands at the oldest record of a full ring. */
static struct scaph_reader *at_the_oldest(int mode)
{
	struct scaph_options options = { .size = sizeof(options), .mode = mode, .history = 1 };
	struct scaph_reader *reader;

	if (scaph_open(bed.path, &options, &reader) < 0)
		errx(1, "%s: no reader", bed.path);
	for (int i = 0; i < 4096; i++)
		bench_publish(&bed);
	for (int try = 0; scaph_next(reader, records) != SCAPH_OK; try++) {
		if (try == 1000)
			errx(1, "%s: %s", bed.path, scaph_reason(reader));
		bench_publish(&bed);
	}
	return reader;
}

static void one_by_one(struct bench_series *series)
{
	struct scaph_reader *reader = at_the_oldest(SCAPH_OPEN_COHERENT);
	uint64_t from_ns = bench_now_ns(), count = 0;

	while (scaph_next(reader, records) == SCAPH_OK)
		count++;
	bench_series_add(series, (double)(bench_now_ns() - from_ns) / (double)count);
	scaph_close(reader);
}

static double drained_ns(int mode)
{
	struct scaph_reader *reader = at_the_oldest(mode);
	uint64_t from_ns = bench_now_ns(), total = 0, took_ns;
	size_t count;

	while (scaph_next_many(reader, records, BATCH, &count) == SCAPH_OK) {
		check(&records[count - 1]);
		total += count;
	}
	took_ns = bench_now_ns() - from_ns;
	if (total < 3000)
		errx(1, "only %llu records were in a full ring", (unsigned long long)total);
	scaph_close(reader);
	return (double)took_ns / (double)total;
}

static void round_of_streaming(const struct bench_plan *plan)
{
	one_by_one(&rows[ONE_ROW].series);
	bench_series_add(&rows[DRAIN_ROW].series, drained_ns(SCAPH_OPEN_COHERENT));
	bench_series_add(&rows[SNAPSHOT_ROW].series, 1000 / drained_ns(SCAPH_OPEN_SNAPSHOT));
	if (!bench_has_partner())
		return;
	stream_lines(&rows[LINES_ROW].series);
	stream(&rows[STREAM_ROW].series, &rows[LOST_ROW].series);
}

static void close_streaming(const struct bench_plan *plan)
{
	scaph_close(streamer);
	bench_segment_close(&bed);
}

struct bench_topic bench_streaming = {
	.title = "every record",
	.row = rows,
	.rows = sizeof(rows) / sizeof(rows[0]),
	.open = open_streaming,
	.round = round_of_streaming,
	.close = close_streaming,
};
