/* SPDX-License-Identifier: Apache-2.0 */
/*
 * growth.c - how a publish grows: with spinning readers, with segments in turn, with lines a record
 *
 * Readers share the other core, as many threads as there are readers. A record of several lines is one slot in each of as many
 * rings: what an extension line costs by proto/SPEC.md, with a number and a checksum of its own.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "tools/bench/bed.h"
#include "tools/bench/partner.h"
#include "tools/bench/ticks.h"
#include "tools/bench/topic.h"

#define READERS_MAX 4
#define SEGMENTS_MAX 4000U
#define LINES_MAX 4
#define PUBLISHES 20000U
#define WINDOW_NS (20 * NS_PER_MS)

enum { READERS_ROW = 0, SEGMENTS_ROW = READERS_ROW + 4, LINES_ROW = SEGMENTS_ROW + 5 };

static struct bench_row rows[] = {
	{ "publish_readers_0", "publish flat out, no reader", NULL, BENCH_NS },
	{ "publish_readers_1", "  1 spinning reader", NULL, BENCH_NS },
	{ "publish_readers_2", "  2 spinning readers, one core", NULL, BENCH_NS },
	{ "publish_readers_4", "  4 spinning readers, one core", NULL, BENCH_NS },
	{ "publish_segments_1", "publish over 1 segment", NULL, BENCH_NS },
	{ "publish_segments_10", "  10 segments in turn", NULL, BENCH_NS },
	{ "publish_segments_100", "  100 segments in turn", NULL, BENCH_NS },
	{ "publish_segments_1000", "  1,000 segments in turn", NULL, BENCH_NS },
	{ "publish_segments_4000", "  4,000 segments in turn", NULL, BENCH_NS },
	{ "publish_lines_1", "publish a record of 64 bytes", NULL, BENCH_NS },
	{ "publish_lines_2", "  of 128 bytes", NULL, BENCH_NS },
	{ "publish_lines_4", "  of 256 bytes", NULL, BENCH_NS },
};

static const unsigned int readers_of[] = { 0, 1, 2, 4 };
static const unsigned int segments_of[] = { 1, 10, 100, 1000, 4000 };
static const unsigned int lines_of[] = { 1, 2, 4 };

static struct bench_segment beds[SEGMENTS_MAX];
static unsigned int opened;

struct crowd {
	unsigned int count;
	struct scaph_reader *reader[READERS_MAX];
};

static struct crowd crowd;
static struct bench_partner partner __attribute__((aligned(256)));

static void open_growth(const struct bench_plan *plan)
{
	opened = plan->brief ? 100 : SEGMENTS_MAX;
	for (unsigned int i = 0; i < opened; i++)
		bench_segment_open(&beds[i], WINDOW_NS);
	/* As domains that came at different times. */
	for (unsigned int i = 1; i < opened; i++)
		beds[i].writer.next_index += i % 61;
	for (int i = 0; i < READERS_MAX; i++)
		crowd.reader[i] = bench_reader_open(&beds[0], SCAPH_OPEN_COHERENT);
}

struct spinner {
	struct bench_partner *partner;
	struct scaph_reader *reader;
	pthread_t thread;
};

static void *spin(void *argument)
{
	struct spinner *spinner = argument;
	struct scaph_record record;

	while (!bench_partner_told_to_stop(spinner->partner)) {
		for (int i = 0; i < 64; i++)
			scaph_next(spinner->reader, &record);
	}
	return NULL;
}

/* Threads of the partner's inherit its core. */
static void spin_all(struct bench_partner *self, void *context)
{
	struct crowd *all = context;
	struct spinner spinner[READERS_MAX];

	for (unsigned int i = 0; i < all->count; i++) {
		spinner[i].partner = self;
		spinner[i].reader = all->reader[i];
		if (pthread_create(&spinner[i].thread, NULL, spin, &spinner[i]))
			spinner[i].reader = NULL;
	}
	for (unsigned int i = 0; i < all->count; i++) {
		if (spinner[i].reader)
			pthread_join(spinner[i].thread, NULL);
	}
}

/* Flat out: what readers take from the writer shows when it does not rest. */
static void beside_readers(struct bench_series *series, unsigned int count)
{
	uint64_t from_ns;

	crowd.count = count;
	bench_partner_start(&partner, spin_all, &crowd);
	from_ns = bench_now_ns();
	for (unsigned int i = 0; i < PUBLISHES; i++)
		bench_publish(&beds[0]);
	bench_series_add(series, (double)(bench_now_ns() - from_ns) / PUBLISHES);
	bench_partner_stop(&partner);
}

static void over_segments(struct bench_series *series, unsigned int count)
{
	uint64_t from_ns = bench_now_ns();

	for (unsigned int turn = 0; turn < PUBLISHES / count; turn++) {
		for (unsigned int i = 0; i < count; i++) {
			if (i + SCAPH_WRITER_AHEAD < count)
				scaph_writer_prefetch(&beds[i + SCAPH_WRITER_AHEAD].writer);
			bench_publish(&beds[i]);
		}
	}
	bench_series_add(series,
			 (double)(bench_now_ns() - from_ns) / (double)(PUBLISHES / count * count));
}

static void with_lines(struct bench_series *series, unsigned int count)
{
	uint64_t from_ns = bench_now_ns();

	for (unsigned int i = 0; i < PUBLISHES; i++) {
		for (unsigned int at = 0; at < count; at++)
			bench_publish(&beds[at]);
	}
	bench_series_add(series, (double)(bench_now_ns() - from_ns) / PUBLISHES);
}

static void round_of_growth(const struct bench_plan *plan)
{
	for (unsigned int i = 0; i < sizeof(segments_of) / sizeof(segments_of[0]); i++) {
		if (segments_of[i] <= opened)
			over_segments(&rows[SEGMENTS_ROW + i].series, segments_of[i]);
	}
	for (unsigned int i = 0; i < sizeof(lines_of) / sizeof(lines_of[0]); i++)
		with_lines(&rows[LINES_ROW + i].series, lines_of[i]);
	for (unsigned int i = 0; i < sizeof(readers_of) / sizeof(readers_of[0]); i++) {
		if (bench_has_partner())
			beside_readers(&rows[READERS_ROW + i].series, readers_of[i]);
	}
}

static void close_growth(const struct bench_plan *plan)
{
	for (int i = 0; i < READERS_MAX; i++)
		scaph_close(crowd.reader[i]);
	for (unsigned int i = 0; i < opened; i++)
		bench_segment_close(&beds[i]);
}

struct bench_topic bench_growth = {
	.title = "growth",
	.row = rows,
	.rows = sizeof(rows) / sizeof(rows[0]),
	.open = open_growth,
	.round = round_of_growth,
	.close = close_growth,
};
