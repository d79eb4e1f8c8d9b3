/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor_refusal_test.c - what is no segment, or not one yet, and what is said about it
 */
#include "cursor_bench.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/descriptor.h"

struct refusal {
	const char *name;
	uint32_t at; /* of a 32-bit word of the descriptor */
	uint32_t value;
	const char *says;
};

static void test_refusals(void **state)
{
	static const struct refusal refusals[] = {
		{ "foreign file", 0, 0x12345678, "not a scaphring segment" },
		{ "byte order", 24, 0x04030201, "byte order" },
		{ "newer layout", 20, 2, "newer scaphd" },
		{ "must bit", 40, 1, "feature" },
		{ "length", 28, 8, "length" },
		{ "long length", 28, 0xfffffff8, "length" },
		{ "window", 336, 0, "window" },
		{ "directory", 384 + 8, 0x7ffff000, "directory" },
		{ "directory count", 364, 9, "directory" },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct scaph_descriptor desc;

		bench_adopt(bench, EPOCH_A);
		memcpy(&desc, bench->map, sizeof(desc));
		memcpy((char *)&desc + refusals[i].at, &refusals[i].value, 4);
		if (strstr(refusals[i].name, "length") == NULL)
			scaph_descriptor_seal(&desc);
		memcpy(bench->map, &desc, sizeof(desc));
		bench_open(bench, bench->mode);
		for (int step = 0; step < 10; step++) {
			bench_expect(bench, SCAPH_CURSOR_REFUSED);
			assert_int_equal(bench_latest(bench), SCAPH_CURSOR_REFUSED);
			assert_non_null(
				strstr(scaph_cursor_refusal(bench->cursor), refusals[i].says));
			bench->now_ns += 500 * MS;
		}
		/* It goes on looking. */
		bench_adopt(bench, EPOCH_B);
		bench_publish(bench, 1);
		assert_int_equal(bench_next(bench), SCAPH_CURSOR_UNPROVEN);
		bench_publish(bench, 1);
		bench_expect_record(bench, 0);
	}
}

/* A descriptor being written is not refused at once; one that stays so is. */
static void test_busy_descriptor(void **state)
{
	struct bench *bench = *state;
	uint64_t *word = (uint64_t *)bench->map;

	for (int how = 0; how < 2; how++) {
		word[how ? 12 : 1] ^= 1;
		bench_open(bench, bench->mode);
		for (int step = 0; step < 10; step++) {
			bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
			assert_null(scaph_cursor_descriptor(bench->cursor));
			bench->now_ns += 99 * MS;
		}
		bench->now_ns += 10 * MS;
		bench_expect(bench, SCAPH_CURSOR_REFUSED);
		scaph_writer_refresh(&bench->writer);
		bench_expect(bench, SCAPH_CURSOR_UNPROVEN);
		scaph_writer_beat(&bench->writer);
		bench_expect(bench, how ? SCAPH_CURSOR_RECORD : SCAPH_CURSOR_EMPTY);
		/* Once live, the same is a silence and ends with it. */
		word[how ? 12 : 1] ^= 1;
		for (int step = 0; step < 30; step++) {
			int event = bench_next(bench);

			assert_true(event == SCAPH_CURSOR_EMPTY || event == SCAPH_CURSOR_STALE);
			bench->now_ns += 99 * MS;
		}
		bench_publish(bench, 1);
		bench_expect(bench, SCAPH_CURSOR_RECORD);
		scaph_writer_refresh(&bench->writer);
	}
}

static void test_no_file_and_no_segment(void **state)
{
	struct bench *bench = *state;
	struct scaph_cursor *cursor = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/none", bench->dir);
	assert_int_equal(scaph_cursor_open(path, bench->mode, 1, &cursor), -ENOENT);
	assert_int_equal(scaph_cursor_open(bench->dir, bench->mode, 1, &cursor), -ENOTSUP);
	assert_int_equal(scaph_cursor_open("/dev/null", bench->mode, 1, &cursor), -ENOTSUP);
	/* A fifo in the place must not block, nor be opened at all. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(scaph_cursor_open(path, bench->mode, 1, &cursor), -ENOTSUP);
	unlink(path);
	assert_null(cursor);
	assert_null(scaph_cursor_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH_MODES(test_refusals),
		IN_BOTH_MODES(test_busy_descriptor),
		IN_BOTH_MODES(test_no_file_and_no_segment),
	};

	return cmocka_run_group_tests_name("cursor refusal", tests, NULL, NULL);
}
