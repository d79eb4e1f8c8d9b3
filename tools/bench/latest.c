/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latest.c - what the newest record costs a program, through the shared library, every one verified
 */
#include "tools/bench/bed.h"
#include "tools/bench/partner.h"
#include "tools/bench/ticks.h"
#include "tools/bench/topic.h"

#include <err.h>

#include "shm/cursor.h"

#define IDLE 100000
#define EVENTS 5000
#define FLATOUT_SLICES 5
#define RETRY_EVENTS 2000
#define WINDOW_NS NS_PER_MS
#define MANY_CALLS 10000000ULL
#define MANY_CHECKED 100000000ULL

enum { IDLE_ROW, NEW_ROW, PACED_ROW, FLATOUT_ROW, CALL_ROW, RETRIES_ROW, WORST_ROW, WRONG_ROW };

static struct bench_row rows[] = {
	[IDLE_ROW] = { "latest_idle", "latest, the same record again", "call", BENCH_NS },
	[NEW_ROW] = { "latest_new", "latest, a record not seen before (with its publish)", "copy64",
		      BENCH_NS },
	[PACED_ROW] = { "latest_tick", "latest beside a 1 kHz writer", "copy64", BENCH_NS },
	[FLATOUT_ROW] = { "latest_flatout", "latest beside a flat-out writer", "line", BENCH_NS },
	[CALL_ROW] = { "latest_flatout_call", "  one call alone, fenced off, clock included",
		       "line", BENCH_NS },
	[RETRIES_ROW] = { "latest_retries", "  its retries", NULL, BENCH_COUNT,
			  .note = "at most 16, then none is given" },
	[WORST_ROW] = { "latest_worst", "  worst of 10^7", NULL, BENCH_NS,
			.note = "with what the machine took the core away for" },
	[WRONG_ROW] = { "latest_wrong", "  wrong or none in 10^8", NULL, BENCH_COUNT },
};

static struct bench_segment bed;
static struct scaph_reader *reader;
static struct scaph_cursor *cursor;
static struct bench_partner partner __attribute__((aligned(256)));
static struct scaph_record record __attribute__((aligned(256)));

static void open_latest(const struct bench_plan *plan)
{
	struct scaph_slot slot;

	bench_segment_open(&bed, WINDOW_NS);
	reader = bench_reader_open(&bed, SCAPH_OPEN_COHERENT);
	if (scaph_cursor_open(bed.path, SCAPH_MODE_COHERENT, bench_now_ns(), &cursor) < 0)
		errx(1, "%s: no cursor", bed.path);
	for (int try = 0; scaph_cursor_latest(cursor, bench_now_ns(), &slot); try++) {
		if (try == 1000)
			errx(1, "%s: not proven", bed.path);
		bench_publish(&bed);
	}
}

static void idle(struct bench_series *series)
{
	uint64_t from_ns;

	bench_publish(&bed);
	scaph_latest(reader, &record);
	from_ns = bench_now_ns();
	for (int i = 0; i < IDLE; i++)
		scaph_latest(reader, &record);
	bench_series_add(series, (double)(bench_now_ns() - from_ns) / IDLE);
}

static void anew(struct bench_series *series)
{
	uint64_t from_ns = bench_now_ns();

	for (int i = 0; i < IDLE; i++) {
		bench_publish(&bed);
		scaph_latest(reader, &record);
	}
	bench_series_add(series, (double)(bench_now_ns() - from_ns) / IDLE);
}

static void write_paced(struct bench_partner *self, void *context)
{
	uint64_t due_ns = bench_now_ns();

	while (!bench_partner_told_to_stop(self)) {
		bench_publish(context);
		bench_sleep_until(due_ns += NS_PER_MS);
	}
}

static void events(struct bench_series *series)
{
	for (int i = 0; i < EVENTS; i++) {
		uint64_t from = bench_ticks();

		scaph_latest(reader, &record);
		bench_series_add(series,
				 (double)(bench_ticks_after() - from) * bench_ns_per_tick());
	}
}

/* As a program does that looks again and again. */
static void flatout(struct bench_series *series)
{
	uint64_t from_ns = bench_now_ns();

	for (int i = 0; i < EVENTS; i++)
		scaph_latest(reader, &record);
	bench_series_add(series, (double)(bench_now_ns() - from_ns) / EVENTS);
}

static void paced(struct bench_series *series)
{
	uint64_t from_ns, calls = 0;

	bench_partner_start(&partner, write_paced, &bed);
	from_ns = bench_now_ns();
	while (bench_now_ns() - from_ns < 10 * NS_PER_MS) {
		for (int i = 0; i < 1000; i++)
			scaph_latest(reader, &record);
		calls += 1000;
	}
	bench_series_add(series, (double)(bench_now_ns() - from_ns) / (double)calls);
	bench_partner_stop(&partner);
}

static void retries(struct bench_series *series)
{
	for (int i = 0; i < RETRY_EVENTS; i++) {
		uint64_t before = scaph_cursor_counts(cursor).retries;
		struct scaph_slot slot;

		scaph_cursor_latest(cursor, bench_now_ns(), &slot);
		bench_series_add(series, (double)(scaph_cursor_counts(cursor).retries - before));
	}
}

static void round_of_latest(const struct bench_plan *plan)
{
	idle(&rows[IDLE_ROW].series);
	anew(&rows[NEW_ROW].series);
	if (!bench_has_partner())
		return;
	paced(&rows[PACED_ROW].series);
	bench_partner_start(&partner, bench_write_flatout, &bed);
	for (int i = 0; i < FLATOUT_SLICES; i++)
		flatout(&rows[FLATOUT_ROW].series);
	events(&rows[CALL_ROW].series);
	retries(&rows[RETRIES_ROW].series);
	bench_partner_stop(&partner);
}

/* Each one of very many looked at: as its number says, and never an older one. */
static uint64_t count_wrong(uint64_t calls)
{
	uint64_t wrong = 0, newest = 0;

	while (calls--) {
		int r = scaph_latest(reader, &record);

		wrong += r != SCAPH_OK || !bench_record_right(&record) || record.number < newest;
		newest = record.number;
	}
	return wrong;
}

static double worst_ns(uint64_t calls)
{
	uint64_t worst = 0;

	while (calls--) {
		uint64_t from = bench_ticks(), took;

		scaph_latest(reader, &record);
		took = bench_ticks() - from;
		worst = took > worst ? took : worst;
	}
	return (double)worst * bench_ns_per_tick();
}

static void close_latest(const struct bench_plan *plan)
{
	uint64_t part = plan->brief ? 100 : 1;

	if (bench_has_partner() && !plan->ended) {
		bench_partner_start(&partner, bench_write_flatout, &bed);
		bench_series_add(&rows[WORST_ROW].series, worst_ns(MANY_CALLS / part));
		bench_series_add(&rows[WRONG_ROW].series, (double)count_wrong(MANY_CHECKED / part));
		bench_partner_stop(&partner);
	}
	scaph_cursor_free(cursor);
	scaph_close(reader);
	bench_segment_close(&bed);
}

struct bench_topic bench_latest = {
	.title = "the newest record",
	.row = rows,
	.rows = sizeof(rows) / sizeof(rows[0]),
	.open = open_latest,
	.round = round_of_latest,
	.close = close_latest,
};
