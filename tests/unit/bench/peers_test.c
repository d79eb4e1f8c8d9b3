/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers_test.c - every peer of the benchmark that is in this build hands over what it was given
 *
 * Only through the table, as the benchmark does, and through the files that a peer keeps in its
 * folder. A peer without its library is a row without functions; the tests go past it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/peers/peer.h"

#define FIRST 1000000ULL
#define ATTEMPTS 5
#define BATCH 64
#define FLAT_OUT_NS 30000000
#define FILE_BYTES_MAX (1 << 20)

struct bench {
	char folder[64];
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	strcpy(bench->folder, "/dev/shm/scaph-peers-XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	*state = bench;
	return 0;
}

/* Every test ends with all peers closed; then nothing is left, or this fails. */
static int teardown(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(rmdir(bench->folder), 0);
	free(bench);
	return 0;
}

static const struct bench_peer *find(const char *key)
{
	for (unsigned i = 0; i < bench_peers_count; i++) {
		if (!strcmp(bench_peers[i]->key, key))
			return bench_peers[i]->open ? bench_peers[i] : NULL;
	}
	fail_msg("no peer %s", key);
	return NULL;
}

static void expect(const struct bench_peer *peer, void *state, uint32_t count,
		   struct bench_tally want)
{
	struct bench_tally got = { 0 };

	peer->read(state, count, &got);
	if (memcmp(&got, &want, sizeof(got))) {
		fail_msg("%s: %lu records, %lu empty, %lu bad instead of %lu, %lu, %lu", peer->key,
			 got.records, got.empty, got.bad, want.records, want.empty, want.bad);
	}
}

static void test_rows(void **state)
{
	static const char *const keys[] = { "ck_sequence", "ck_ring", "libqb",	 "mmv",
					    "unix_dgram",  "pipe",    "textfile" };

	assert_int_equal(bench_peers_count, sizeof(keys) / sizeof(keys[0]));
	for (unsigned i = 0; i < bench_peers_count; i++) {
		const struct bench_peer *peer = bench_peers[i];

		assert_string_equal(peer->key, keys[i]);
		assert_non_null(peer->lacks);
		assert_int_equal(!peer->open, !peer->publish);
		assert_int_equal(!peer->open, !peer->read);
		assert_int_equal(!peer->open, !peer->close);
		/* What needs no library is never missing; what is missing says where it is from. */
		assert_true(peer->package || peer->open);
	}
}

static void test_payload_tells_every_bit_and_every_mixture(void **state)
{
	uint64_t words[BENCH_WORDS], other[BENCH_WORDS], mixed[BENCH_WORDS];

	for (uint64_t number = 0; number < 3 * FIRST; number += FIRST / 7) {
		bench_payload_fill(words, number);
		assert_true(bench_payload_check(words));
		for (unsigned bit = 0; bit < 64 * BENCH_WORDS; bit++) {
			words[bit / 64] ^= 1ULL << bit % 64;
			assert_false(bench_payload_check(words));
			words[bit / 64] ^= 1ULL << bit % 64;
		}
		for (uint64_t distance = 1; distance < 1 << 20; distance *= 2) {
			bench_payload_fill(other, number + distance);
			for (unsigned mask = 1; mask < 255; mask++) {
				for (int i = 0; i < BENCH_WORDS; i++)
					mixed[i] = mask >> i & 1 ? other[i] : words[i];
				assert_false(bench_payload_check(mixed));
			}
		}
	}
}

static void test_hands_over_what_it_was_given(void **state)
{
	struct bench *bench = *state;

	for (unsigned i = 0; i < bench_peers_count; i++) {
		const struct bench_peer *peer = bench_peers[i];
		uint32_t batch = peer->capacity ? peer->capacity : 100;
		uint64_t number = FIRST;
		void *ends;

		if (!peer->open)
			continue;
		assert_int_equal(peer->open(bench->folder, &ends), 0);
		expect(peer, ends, ATTEMPTS, (struct bench_tally){ .empty = ATTEMPTS });
		/* Full and empty again, with a length that no ring's size divides. */
		for (int round = 0; round < 5; round++, number += batch) {
			peer->publish(ends, number, batch);
			expect(peer, ends, batch, (struct bench_tally){ .records = batch });
			if (peer->capacity)
				expect(peer, ends, 1, (struct bench_tally){ .empty = 1 });
			peer->publish(ends, number + batch, 1);
			number++;
			expect(peer, ends, 1, (struct bench_tally){ .records = 1 });
		}
		/* More than fits: neither blocks, nor harms what went in before. */
		peer->publish(ends, number, 3 * batch);
		expect(peer, ends, batch, (struct bench_tally){ .records = batch });
		peer->close(ends);
	}
}

struct flat_out {
	const struct bench_peer *peer;
	void *ends;
	pthread_barrier_t begin;
	atomic_bool stop;
	uint64_t published;
};

static void *publish_flat_out(void *data)
{
	struct flat_out *run = data;

	pthread_barrier_wait(&run->begin);
	while (!run->stop) {
		run->peer->publish(run->ends, FIRST + run->published, BATCH);
		run->published += BATCH;
	}
	return NULL;
}

static uint64_t mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Read for a while beside the writer, then what it left. */
static void run_flat_out(struct flat_out *run, struct bench_tally *tally)
{
	uint64_t attempts = 0, end_ns;
	pthread_t writer;

	run->stop = false;
	run->published = 0;
	pthread_barrier_init(&run->begin, NULL, 2);
	assert_int_equal(pthread_create(&writer, NULL, publish_flat_out, run), 0);
	pthread_barrier_wait(&run->begin);
	end_ns = mono_ns() + FLAT_OUT_NS;
	/* A reader that ck_sequence makes wait is not asked for many records at once. */
	for (; mono_ns() < end_ns || tally->records < BATCH; attempts += BATCH)
		run->peer->read(run->ends, BATCH, tally);
	run->stop = true;
	assert_int_equal(pthread_join(writer, NULL), 0);
	run->peer->read(run->ends, run->peer->capacity, tally);
	attempts += run->peer->capacity;
	pthread_barrier_destroy(&run->begin);
	assert_int_equal(tally->records + tally->empty + tally->bad, attempts);
}

/* Nothing guards the values of mmv and the text of a file. A queue gives out nothing twice. */
static void test_beside_a_writer_flat_out(void **state)
{
	struct bench *bench = *state;

	for (unsigned i = 0; i < bench_peers_count; i++) {
		struct flat_out run = { .peer = bench_peers[i] };
		struct bench_tally tally = { 0 };

		if (!run.peer->open)
			continue;
		assert_int_equal(run.peer->open(bench->folder, &run.ends), 0);
		run_flat_out(&run, &tally);
		if (run.peer->capacity)
			assert_in_range(tally.records, 1, run.published);
		if (strcmp(run.peer->key, "mmv") && strcmp(run.peer->key, "textfile"))
			assert_int_equal(tally.bad, 0);
		run.peer->close(run.ends);
	}
}

/* nftw() passes no argument on. */
static uint64_t sought;
static unsigned found;

static int flip_where_found(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static uint8_t bytes[FILE_BYTES_MAX];
	uint8_t *at;
	ssize_t length;
	int fd;

	if (type != FTW_F)
		return 0;
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	length = pread(fd, bytes, sizeof(bytes), 0);
	assert_in_range(length, 1, sizeof(bytes) - 1);
	at = memmem(bytes, (size_t)length, &sought, sizeof(sought));
	if (at) {
		*at ^= 4;
		assert_int_equal(pwrite(fd, at, 1, at - bytes), 1);
		found++;
	}
	close(fd);
	return 0;
}

/* A bit of the newest record's last word, in whatever file of the folder that is. */
static void test_a_changed_bit_is_bad(void **state)
{
	static const char *const keys[] = { "ck_sequence", "ck_ring", "libqb", "mmv" };
	struct bench *bench = *state;

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct bench_peer *peer = find(keys[i]);
		uint64_t words[BENCH_WORDS];
		void *ends;

		if (!peer)
			continue;
		assert_int_equal(peer->open(bench->folder, &ends), 0);
		peer->publish(ends, FIRST, 3);
		bench_payload_fill(words, FIRST + 2);
		sought = words[7];
		found = 0;
		assert_int_equal(nftw(bench->folder, flip_where_found, 8, FTW_PHYS), 0);
		assert_int_equal(found, 1);
		if (peer->capacity)
			expect(peer, ends, 2, (struct bench_tally){ .records = 2 });
		expect(peer, ends, 1, (struct bench_tally){ .bad = 1 });
		peer->publish(ends, FIRST + 3, 1);
		expect(peer, ends, 1, (struct bench_tally){ .records = 1 });
		peer->close(ends);
	}
}

static void put(const struct bench *bench, const char *leaf, off_t offset, const void *bytes,
		size_t length, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", bench->folder, leaf);
	fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, length, offset), length);
	close(fd);
}

/* mmv(5): the second generation is at offset 16. */
static void test_mmv_of_another_generation_is_bad(void **state)
{
	const struct bench_peer *peer = find("mmv");
	struct bench *bench = *state;
	uint64_t zero = 0;
	void *ends;

	if (!peer)
		return;
	assert_int_equal(peer->open(bench->folder, &ends), 0);
	peer->publish(ends, FIRST, 1);
	expect(peer, ends, 1, (struct bench_tally){ .records = 1 });
	put(bench, "mmv/scaph-bench", 16, &zero, sizeof(zero), 0);
	expect(peer, ends, 1, (struct bench_tally){ .bad = 1 });
	peer->close(ends);
}

static void test_textfile_tells_empty_from_wrong(void **state)
{
	static const char *const wrong[] = { "x", "7", "1000003000007", "1000006000019x", " ", "-" };
	const struct bench_peer *peer = find("textfile");
	struct bench *bench = *state;
	void *ends;

	assert_int_equal(peer->open(bench->folder, &ends), 0);
	expect(peer, ends, 1, (struct bench_tally){ .empty = 1 });
	put(bench, "energy_uj", 0, "", 0, O_CREAT);
	expect(peer, ends, 1, (struct bench_tally){ .empty = 1 });
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		put(bench, "energy_uj", 0, wrong[i], strlen(wrong[i]), O_TRUNC);
		expect(peer, ends, 1, (struct bench_tally){ .bad = 1 });
	}
	peer->publish(ends, FIRST, 2);
	expect(peer, ends, 2, (struct bench_tally){ .records = 2 });
	/* Energy that runs backwards. */
	peer->publish(ends, FIRST, 1);
	expect(peer, ends, 1, (struct bench_tally){ .bad = 1 });
	peer->close(ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_payload_tells_every_bit_and_every_mixture),
		cmocka_unit_test_setup_teardown(test_hands_over_what_it_was_given, setup, teardown),
		cmocka_unit_test_setup_teardown(test_beside_a_writer_flat_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_changed_bit_is_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mmv_of_another_generation_is_bad, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_textfile_tells_empty_from_wrong, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("bench peers", tests, NULL, NULL);
}
