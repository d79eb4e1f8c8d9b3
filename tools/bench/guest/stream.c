/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.c - batches of records, timed and then checked
 */
#include "tools/bench/guest/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/guest/payload.h"
#include "tools/bench/guest/preads.h"

#define BATCH_MAX 8192
#define OPEN_NS (10 * NS_PER_S)

int bench_stream_open(struct bench_stream *stream, const char *path, uint64_t window_ns)
{
	uint64_t until_ns = bench_now_ns() + OPEN_NS;
	int r;

	*stream = (struct bench_stream){ .window_ns = window_ns };
	stream->records = malloc(BATCH_MAX * sizeof(*stream->records));
	if (!stream->records)
		return -ENOMEM;
	/* Its pages are there before anything is timed. */
	memset(stream->records, 1, BATCH_MAX * sizeof(*stream->records));
	r = scaph_open(path, NULL, &stream->reader);
	if (r < 0)
		return r;
	do {
		r = scaph_wait(stream->reader, (int64_t)NS_PER_S, 0);
		if (r == 0)
			r = scaph_next(stream->reader, stream->records);
	} while (r != SCAPH_OK && r >= 0 && bench_now_ns() < until_ns);
	stream->next_number = stream->records[0].number + 1;
	return r > 0 ? -ETIMEDOUT : r;
}

void bench_stream_close(struct bench_stream *stream)
{
	scaph_close(stream->reader);
	free(stream->records);
	bench_series_free(&stream->pread_ns);
	bench_cost_free(&stream->cost);
}

/* How many records came, whether they are those that were written, and none was left out. */
static uint64_t check(struct bench_stream *stream, size_t count)
{
	uint64_t bad = 0;

	for (size_t i = 0; i < count; i++) {
		const struct scaph_record *record = &stream->records[i];

		bad += record->number != stream->next_number ||
		       record->mono_ns != bench_mono_ns(record->number, stream->window_ns) ||
		       record->package_uj != bench_package_uj(record->number) ||
		       record->cpu_ns != bench_cpu_ns(record->number);
		stream->next_number = record->number + 1;
	}
	return bad;
}

void bench_stream_read(struct bench_stream *stream)
{
	struct bench_preads before = bench_preads;
	struct bench_mark begun = bench_cost_begin(), spent;
	size_t count = 0;
	int r = scaph_next_many(stream->reader, stream->records, BATCH_MAX, &count);

	spent = bench_cost_end(begun);
	stream->bad += check(stream, count) + (r != SCAPH_OK && r != SCAPH_EMPTY);
	stream->delivered += count;
	stream->batches++;
	stream->preads += bench_preads.count - before.count;
	stream->pread_bytes += bench_preads.bytes - before.bytes;
	bench_cost_add(&stream->cost, spent, count);
	if (count)
		bench_series_add(&stream->pread_ns,
				 (double)(bench_preads.ns - before.ns) / (double)count);
}

void bench_stream_reset(struct bench_stream *stream)
{
	stream->delivered = stream->batches = stream->bad = 0;
	stream->preads = stream->pread_bytes = 0;
	stream->cost.wall_ns.count = stream->cost.cpu_ns.count = stream->pread_ns.count = 0;
}
