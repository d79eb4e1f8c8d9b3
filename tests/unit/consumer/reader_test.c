/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader_test.c - the reader's short ways say what its long ways say: batches, the watched head, the lazy clock
 *
 * Against a real segment on a tmpfs with the daemon's writer; the clock is the real one, so silences are waited for.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <fcntl.h>

#include "consumer/scaph.h"
#include "proto/descriptor.h"
#include "shm/segment.h"
#include "shm/writer.h"

#define WINDOW_NS 20000000ULL
#define NS_PER_MS 1000000ULL
#define SLOTS 1024

struct bench {
	char dir[64];
	char path[96];
	struct scaph_segment segment;
	struct scaph_descriptor desc;
	struct scaph_writer writer;
	struct scaph_reader *reader;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / NS_PER_MS;
}

static void sleep_ms(unsigned int ms)
{
	usleep(1000 * ms);
}

static void publish(struct bench *bench, unsigned int count)
{
	while (count--) {
		uint64_t index = bench->writer.next_index;
		struct scaph_slot record = {
			.mono_ns = (index + 1) * WINDOW_NS,
			.package_uj = index * 3,
			.cpu_ns = index * 5,
			.flags = SCAPH_FLAG_PACKAGE | SCAPH_FLAG_CPU,
		};

		assert_int_equal(scaph_writer_publish(&bench->writer, &record), 0);
	}
}

static void adopt(struct bench *bench, uint64_t epoch_id)
{
	bench->desc.epoch_id = epoch_id;
	scaph_writer_adopt(&bench->writer, bench->segment.guard.map, bench->segment.bytes,
			   &bench->desc);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	uint64_t bytes;
	int dir_fd;

	strcpy(bench->dir, "/dev/shm/scaph-reader-XXXXXX");
	if (!mkdtemp(bench->dir))
		return -1;
	snprintf(bench->path, sizeof(bench->path), "%s/" SCAPH_SEGMENT_NAME, bench->dir);
	scaph_descriptor_init(&bench->desc);
	bench->desc.subject = SCAPH_SUBJECT_DOMAIN;
	bench->desc.window_ns = WINDOW_NS;
	bench->desc.profile = SCAPH_PROFILE_TRUSTED;
	scaph_descriptor_place_rings(&bench->desc, &bytes);
	dir_fd = open(bench->dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (scaph_segment_open(dir_fd, SCAPH_SEGMENT_NAME, bytes, 0644, SCAPH_SEGMENT_KEEP_GROUP,
			       &bench->segment))
		return -1;
	close(dir_fd);
	adopt(bench, 0x123456789abcULL);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	scaph_close(bench->reader);
	scaph_segment_close(&bench->segment);
	unlink(bench->path);
	rmdir(bench->dir);
	free(bench);
	return 0;
}

/* A proven reader that has read all there is. */
static void open_reader(struct bench *bench, int mode, int history)
{
	const struct scaph_options options = { .size = sizeof(options),
					       .mode = mode,
					       .history = history };
	struct scaph_record record;
	int r;

	assert_int_equal(scaph_open(bench->path, &options, &bench->reader), 0);
	do {
		publish(bench, 1);
		sleep_ms(1);
		r = scaph_next(bench->reader, &record);
	} while (r == SCAPH_UNPROVEN || r == SCAPH_EMPTY);
	assert_int_equal(r, SCAPH_OK);
}

static void expect_right(const struct scaph_record *record, uint64_t number)
{
	assert_int_equal(record->number, number);
	assert_int_equal(record->mono_ns, (number + 1) * WINDOW_NS);
	assert_int_equal(record->package_uj, number * 3);
	assert_int_equal(record->cpu_ns, number * 5);
	assert_int_equal(record->flags, SCAPH_HAS_PACKAGE | SCAPH_HAS_CPU);
}

/* All that has come, in order, at one call in coherent and in snapshot mode, round the ring's end too. */
static void batches(struct bench *bench, int mode)
{
	static struct scaph_record record[2 * SLOTS];
	uint64_t next;
	size_t count;

	open_reader(bench, mode, 0);
	while (scaph_next(bench->reader, record) == SCAPH_OK)
		;
	next = bench->writer.next_index;
	for (unsigned int room = 1; room < 800; room += 37) {
		unsigned int want = room;

		publish(bench, room);
		/* A copy is only made anew when something may have come since. */
		sleep_ms(mode == SCAPH_OPEN_SNAPSHOT ? 12 : 0);
		while (want) {
			int r = scaph_next_many(bench->reader, record, want, &count);

			if (r == SCAPH_EMPTY) {
				sleep_ms(12);
				continue;
			}
			assert_int_equal(r, SCAPH_OK);
			for (size_t i = 0; i < count; i++)
				expect_right(&record[i], next++);
			want -= (unsigned int)count;
		}
		count = 77;
		assert_int_equal(scaph_next_many(bench->reader, record, 1, &count), SCAPH_EMPTY);
		assert_int_equal(count, 77);
	}
	assert_int_equal(scaph_next_many(bench->reader, record, 0, &count), -EINVAL);
	/* Lapped: an event between batches, and all accounted for. */
	publish(bench, 3 * SLOTS);
	sleep_ms(12);
	assert_int_equal(scaph_next_many(bench->reader, record, 2 * SLOTS, &count), SCAPH_LAPPED);
	assert_int_equal(scaph_next_many(bench->reader, record, 2 * SLOTS, &count), SCAPH_OK);
	expect_right(&record[0], next + scaph_lost(bench->reader));
}

static void test_batches_coherent(void **state)
{
	batches(*state, SCAPH_OPEN_COHERENT);
}

static void test_batches_snapshot(void **state)
{
	batches(*state, SCAPH_OPEN_SNAPSHOT);
}

static void test_latest_follows(void **state)
{
	struct bench *bench = *state;
	struct scaph_record record;

	open_reader(bench, SCAPH_OPEN_COHERENT, 0);
	for (int i = 0; i < 3000; i++) {
		publish(bench, 1 + (unsigned int)i % 3);
		for (int again = 0; again < 5; again++) {
			assert_int_equal(scaph_latest(bench->reader, &record), SCAPH_OK);
			expect_right(&record, bench->writer.next_index - 1);
		}
	}
}

/* Beginning with history proves itself by a look at the newest: that is not what latest gives by itself. */
static void test_latest_after_history(void **state)
{
	struct bench *bench = *state;
	struct scaph_record record;

	publish(bench, 100);
	open_reader(bench, SCAPH_OPEN_COHERENT, 1);
	for (int i = 0; i < 10; i++)
		assert_int_equal(scaph_next(bench->reader, &record), SCAPH_OK);
	assert_int_equal(record.number, 10);
	assert_int_equal(scaph_latest(bench->reader, &record), SCAPH_OK);
	expect_right(&record, bench->writer.next_index - 1);
}

static void test_epoch_changes(void **state)
{
	struct bench *bench = *state;
	struct scaph_record record;
	uint64_t from_ms;
	int r;

	open_reader(bench, SCAPH_OPEN_COHERENT, 0);
	assert_int_equal(scaph_latest(bench->reader, &record), SCAPH_OK);
	adopt(bench, 0x777777777777ULL);
	from_ms = now_ms();
	do {
		publish(bench, 1);
		r = scaph_latest(bench->reader, &record);
		assert_true(r != SCAPH_OK || record.epoch_id == 0x777777777777ULL);
		sleep_ms(2);
	} while (r != SCAPH_OK && now_ms() - from_ms < 1000);
	assert_int_equal(r, SCAPH_OK);
	expect_right(&record, bench->writer.next_index - 1);
	do
		r = scaph_next(bench->reader, &record);
	while (r == SCAPH_EMPTY && now_ms() - from_ms < 1000);
	assert_int_equal(r, SCAPH_EPOCH);
	assert_int_equal(scaph_next(bench->reader, &record), SCAPH_OK);
	expect_right(&record, 0);
}

/* Old bytes put back, as by a restored guest's memory: never an older record, nor one of nothing. */
static void test_old_head(void **state)
{
	struct bench *bench = *state;
	struct scaph_record record;
	uint64_t newest;

	open_reader(bench, SCAPH_OPEN_COHERENT, 0);
	publish(bench, 50);
	assert_int_equal(scaph_latest(bench->reader, &record), SCAPH_OK);
	newest = record.number;
	bench->writer.next_index -= 20;
	scaph_writer_refresh(&bench->writer);
	for (int i = 0; i < 200; i++)
		assert_true(scaph_latest(bench->reader, &record) != SCAPH_OK ||
			    record.number >= newest);
}

typedef int (*look_fn)(struct scaph_reader *reader, struct scaph_record *record);

/* A dead writer is found out by whoever spins, no later than by whoever looks now and then. */
static void spin_until_stale(struct bench *bench, look_fn look)
{
	struct scaph_record record;
	uint64_t from_ms, took_ms;
	int r;

	publish(bench, 1);
	while (look(bench->reader, &record) == SCAPH_OK && look == scaph_next)
		;
	from_ms = now_ms();
	do
		r = look(bench->reader, &record);
	while (r != SCAPH_STALE && now_ms() - from_ms < 5000);
	took_ms = now_ms() - from_ms;
	assert_int_equal(r, SCAPH_STALE);
	assert_in_range(took_ms, 240, 600);
	assert_int_equal(look(bench->reader, &record), SCAPH_STALE);
	/* And back again at once. */
	publish(bench, 1);
	for (from_ms = now_ms(); r != SCAPH_OK && now_ms() - from_ms < 100;)
		r = look(bench->reader, &record);
	assert_int_equal(r, SCAPH_OK);
	expect_right(&record, bench->writer.next_index - 1);
}

static void test_stale_spinning(void **state)
{
	struct bench *bench = *state;

	open_reader(bench, SCAPH_OPEN_COHERENT, 0);
	spin_until_stale(bench, scaph_next);
	spin_until_stale(bench, scaph_latest);
}

/*
 * From spinning to sleeping: the old reading of the clock serves no longer than a second, and a record taken at it came within
 * that second.
 */
static void test_stale_after_sleep(void **state)
{
	struct bench *bench = *state;
	struct scaph_record record;
	uint64_t from_ms;
	int r;

	open_reader(bench, SCAPH_OPEN_COHERENT, 0);
	for (int i = 0; i < 1000; i++) {
		publish(bench, 1);
		assert_int_equal(scaph_latest(bench->reader, &record), SCAPH_OK);
	}
	sleep_ms(1000 + 300);
	assert_int_not_equal(scaph_latest(bench->reader, &record), SCAPH_OK);
	/* The same with the pace lost in the middle of a second. */
	do {
		publish(bench, 1);
		r = scaph_latest(bench->reader, &record);
	} while (r != SCAPH_OK);
	for (int i = 0; i < 1000; i++)
		scaph_latest(bench->reader, &record);
	from_ms = now_ms();
	do {
		sleep_ms(100);
		r = scaph_latest(bench->reader, &record);
	} while (r != SCAPH_STALE && now_ms() - from_ms < 5000);
	assert_in_range(now_ms() - from_ms, 240, 1700);
}

/* Whoever reads batches is told of a silence as if there were no lazy clock. */
static void test_stale_in_batches(void **state)
{
	struct bench *bench = *state;
	struct scaph_record record;
	uint64_t from_ms;
	int r = SCAPH_OK;

	open_reader(bench, SCAPH_OPEN_COHERENT, 0);
	for (int round = 0; round < 6; round++) {
		from_ms = now_ms();
		for (int batch = 0; batch < 3; batch++) {
			publish(bench, 50);
			while ((r = scaph_next(bench->reader, &record)) == SCAPH_OK)
				;
			assert_int_equal(r, SCAPH_EMPTY);
			from_ms = now_ms();
			sleep_ms(100);
		}
		do {
			while ((r = scaph_next(bench->reader, &record)) == SCAPH_OK)
				;
			sleep_ms(r == SCAPH_STALE ? 0 : 100);
		} while (r != SCAPH_STALE && now_ms() - from_ms < 5000);
		assert_in_range(now_ms() - from_ms, 240, 560);
		sleep_ms(70); /* another part of the second */
	}
}

/* Records read by an old reading are no reason to call what lives stale. */
static void test_no_false_stale(void **state)
{
	struct bench *bench = *state;
	struct scaph_record record;

	open_reader(bench, SCAPH_OPEN_COHERENT, 0);
	for (int round = 0; round < 12; round++) {
		for (int i = 0; i < 500; i++) {
			publish(bench, 1);
			assert_int_equal(scaph_next(bench->reader, &record), SCAPH_OK);
			assert_int_equal(scaph_latest(bench->reader, &record), SCAPH_OK);
		}
		sleep_ms(190);
		assert_int_not_equal(scaph_next(bench->reader, &record), SCAPH_STALE);
		assert_int_not_equal(scaph_latest(bench->reader, &record), SCAPH_STALE);
	}
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(test_batches_coherent),  ON_BENCH(test_batches_snapshot),
		ON_BENCH(test_latest_follows),	  ON_BENCH(test_latest_after_history),
		ON_BENCH(test_epoch_changes),	  ON_BENCH(test_old_head),
		ON_BENCH(test_stale_spinning),	  ON_BENCH(test_stale_in_batches),
		ON_BENCH(test_stale_after_sleep), ON_BENCH(test_no_false_stale),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
