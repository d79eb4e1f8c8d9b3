/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floors.c - what the machine takes for the least that could do
 *
 * No transport of 64-byte records is cheaper than a copy of 64 bytes, nor than a line that moves between two cores; no reader of
 * a file is cheaper than a pread; no library answers in less than a call. The floors are measured in the same rounds as what
 * stands on them.
 */
#include <err.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proto/layout.h"
#include "shm/words.h"
#include "tools/bench/bed.h"
#include "tools/bench/ticks.h"
#include "tools/bench/topic.h"

#define COPIES 200000
#define READINGS 20000
#define PREADS 4000
#define WAKES 40
#define RING_SLOTS 4096U /* as large as the ring that records are read from */

enum { COPY, CALL, CLOCK, TICKS, PREAD, WAKE };

static struct bench_row rows[] = {
	[COPY] = { "copy64", "copy of 64 bytes out of a ring", NULL, BENCH_NS },
	[CALL] = { "call", "time(NULL): a call into a library that loads one word", NULL,
		   BENCH_NS },
	[CLOCK] = { "clock", "clock_gettime(CLOCK_MONOTONIC)", NULL, BENCH_NS },
	[TICKS] = { "ticks", "the processor's counter (in every single event below)", NULL,
		    BENCH_NS },
	[PREAD] = { "pread4k", "pread of 4 KiB from tmpfs", NULL, BENCH_NS },
	[WAKE] = { "wake", "bare 1 kHz loop: CPU time a wake", NULL, BENCH_NS },
};

static _Atomic uint64_t *ring;
static char *page;
static int fd;

static void open_floors(const struct bench_plan *plan)
{
	ring = aligned_alloc(4096, RING_SLOTS * SCAPH_SLOT_BYTES);
	page = aligned_alloc(4096, 4096);
	if (!ring || !page)
		err(1, "no memory");
	for (uint32_t i = 0; i < RING_SLOTS * SCAPH_SLOT_WORDS; i++)
		scaph_word_store(&ring[i], i);
	fd = openat(AT_FDCWD, bench_folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || pwrite(fd, page, 4096, 0) != 4096)
		err(1, "%s", bench_folder());
}

static void copies(struct bench_series *series)
{
	uint64_t to[SCAPH_SLOT_WORDS], from_ns = bench_now_ns();

	for (uint32_t i = 0; i < COPIES; i++) {
		const _Atomic uint64_t *from = ring + (i % RING_SLOTS) * SCAPH_SLOT_WORDS;

#pragma GCC unroll 8
		for (unsigned int word = 0; word < SCAPH_SLOT_WORDS; word++)
			to[word] = scaph_word_load(&from[word]);
		__asm__ volatile("" : : "r"(to) : "memory");
	}
	bench_series_add(series, (double)(bench_now_ns() - from_ns) / COPIES);
}

static void calls(struct bench_series *series)
{
	uint64_t from_ns = bench_now_ns();

	for (int i = 0; i < READINGS; i++)
		__asm__ volatile("" : : "r"(time(NULL)));
	bench_series_add(series, (double)(bench_now_ns() - from_ns) / READINGS);
}

static void readings(struct bench_series *clock, struct bench_series *ticks)
{
	uint64_t from_ns = bench_now_ns(), until_ns = from_ns;

	for (int i = 0; i < READINGS; i++)
		until_ns = bench_now_ns();
	bench_series_add(clock, (double)(until_ns - from_ns) / READINGS);
	from_ns = bench_now_ns();
	for (int i = 0; i < READINGS; i++)
		__asm__ volatile("" : : "r"(bench_ticks()));
	bench_series_add(ticks, (double)(bench_now_ns() - from_ns) / READINGS);
}

static void preads(struct bench_series *series)
{
	uint64_t from_ns = bench_now_ns();

	for (int i = 0; i < PREADS; i++) {
		if (pread(fd, page, 4096, 0) != 4096)
			err(1, "pread");
	}
	bench_series_add(series, (double)(bench_now_ns() - from_ns) / PREADS);
}

static uint64_t own_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void wakes(struct bench_series *series)
{
	uint64_t from_ns = own_cpu_ns(), due_ns = bench_now_ns();

	for (int i = 0; i < WAKES; i++)
		bench_sleep_until(due_ns += NS_PER_MS);
	bench_series_add(series, (double)(own_cpu_ns() - from_ns) / WAKES);
}

static void round_of_floors(const struct bench_plan *plan)
{
	copies(&rows[COPY].series);
	calls(&rows[CALL].series);
	readings(&rows[CLOCK].series, &rows[TICKS].series);
	preads(&rows[PREAD].series);
	wakes(&rows[WAKE].series);
}

static void close_floors(const struct bench_plan *plan)
{
	close(fd);
	free(ring);
	free(page);
}

struct bench_topic bench_floors = {
	.title = "floors",
	.row = rows,
	.rows = sizeof(rows) / sizeof(rows[0]),
	.open = open_floors,
	.round = round_of_floors,
	.close = close_floors,
};
