/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor_bench.h - a segment on tmpfs, its writer, a cursor over it, and time that only tests move
 *
 * Writer and cursor are in one thread: each test sets up one state by hand and says what the next
 * answer must be. Every record carries its own index in all its fields, so that a wrong one shows.
 */
#ifndef SCAPH_TESTS_CURSOR_BENCH_H
#define SCAPH_TESTS_CURSOR_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "shm/cursor.h"
#include "shm/writer.h"

#define EPOCH_A 0xaaaa000000123456ULL
#define EPOCH_B 0xbbbb000000654321ULL
#define EPOCH_C 0xcccc000000135790ULL
#define WINDOW_NS 20000000ULL
#define LIMIT_NS 250000000ULL
#define MS 1000000ULL

struct bench {
	char dir[64];
	char path[96];
	int fd;
	uint8_t *map;
	uint64_t bytes;
	uint64_t slots; /* of the fast ring */
	struct scaph_descriptor desc;
	struct scaph_writer writer;
	struct scaph_slot newest; /* as given to the writer */
	enum scaph_mode mode;
	struct scaph_cursor *cursor;
	uint64_t now_ns;
	uint64_t lost; /* of the last LOST */
	struct scaph_slot slot; /* of the last RECORD */
};

int bench_setup_coherent(void **state);
int bench_setup_snapshot(void **state);
int bench_teardown(void **state);

/* Create the file (over any there) and map it for writing; and begin an epoch in it. */
void bench_create(struct bench *bench);
void bench_adopt(struct bench *bench, uint64_t epoch_id);
void bench_publish(struct bench *bench, uint64_t count);
/* As if `index` records had been published already. */
void bench_writer_at(struct bench *bench, uint64_t index);

void bench_open(struct bench *bench, enum scaph_mode mode);
/* Open, with `before` records there, and be proven: the next record is the newest of them. */
void bench_live(struct bench *bench, uint64_t before);

int bench_next(struct bench *bench);
int bench_latest(struct bench *bench);
void bench_expect_record(struct bench *bench, uint64_t index);
void bench_expect(struct bench *bench, enum scaph_cursor_event event);
/* Deliver to the end: the number of records, all in order from `index`; ends with EMPTY. */
uint64_t bench_drain(struct bench *bench, uint64_t index);
/* Look every 10 ms until the answer is not EMPTY; the time it took is bounded by `within_ns`. */
int bench_wait(struct bench *bench, uint64_t within_ns);

/* Words of the live segment. */
uint64_t *bench_slot(struct bench *bench, uint64_t index);
uint64_t *bench_head(struct bench *bench);

#define IN_BOTH_MODES(test)                                                                        \
	{ #test " coherent", test, bench_setup_coherent, bench_teardown, NULL },                   \
	{                                                                                          \
#test " snapshot", test, bench_setup_snapshot, bench_teardown, NULL                \
	}

#endif
