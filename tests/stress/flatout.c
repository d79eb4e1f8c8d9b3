/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flatout.c - a writer at full speed and a reader that checks every record
 *
 * flatout coherent|snapshot           two processes over a file on a tmpfs, new epochs now and then
 * flatout coherent|snapshot --pauses  the writer sleeps longer than a reader waits, then publishes
 *                                     a few: nothing may be lost, least of all by a hasty look
 * flatout coherent --threads          two threads over one mapping, for the thread sanitizer
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/stress/author.h"
#include "tests/stress/stage.h"
#include "tests/stress/witness.h"

/*
 * To be published and, with a core for each side, delivered; the two modes make 10^8 at any size, for
 * it takes seconds. Where the two sides must share a core most records are lapped: then those that
 * came in half a minute, and a tenth at least, are enough.
 */
#define RECORDS 50000000ULL
#define ENOUGH_NS (30 * NS_PER_S)
#define RECORDS_THREADS 20000000ULL
#define RECORDS_THREADS_LEAST 1000000ULL
#define EPOCHS_LEAST 2U
#define PAUSES_FULL 100ULL
#define PAUSES_LEAST 12ULL
#define PAUSE_NS (255 * NS_PER_MS)
#define BATCH 256U
#define BUDGET_S 240U
#define DRAIN_NS (3 * NS_PER_S)

static struct author author;
static struct ledger *ledger;

/* Epochs of 0.4 to 1 s: adoption while the reader is in full flight. */
static void write_flat_out(void *context)
{
	bool short_window = false;

	while (ledger_order(ledger) == LEDGER_PUBLISH) {
		uint64_t now_ns = stage_now_ns(),
			 end_ns = now_ns + (400 + stage_random(600)) * NS_PER_MS;

		short_window = !short_window;
		author_begin(&author,
			     short_window ? AUTHOR_WINDOW_SHORT_NS : AUTHOR_WINDOW_LONG_NS);
		while (now_ns < end_ns && ledger_order(ledger) == LEDGER_PUBLISH) {
			for (unsigned int i = 0; i < BATCH; i++)
				author_publish(&author);
			now_ns = stage_now_ns();
			author_upkeep(&author, now_ns);
		}
		author_finish(&author);
	}
	author_rest(&author);
}

static void write_with_pauses(void *context)
{
	author_begin(&author, AUTHOR_WINDOW_SHORT_NS);
	while (ledger_order(ledger) == LEDGER_PUBLISH) {
		uint64_t few = 1 + stage_random(3);

		for (uint64_t i = 0; i < few; i++)
			author_publish(&author);
		stage_sleep(PAUSE_NS + stage_random(20 * NS_PER_MS));
		author_upkeep(&author, stage_now_ns());
	}
	author_rest(&author);
}

static void *write_in_thread(void *context)
{
	write_flat_out(context);
	return NULL;
}

static void write_in_process(void *context)
{
	void (*play)(void *) = context;

	author_open(&author, ledger);
	play(NULL);
}

static bool enough(const struct witness *witness, uint64_t records, uint64_t epochs,
		   uint64_t took_ns)
{
	if (took_ns >= ENOUGH_NS)
		records /= 10;
	return witness->delivered >= records && witness->epochs >= epochs;
}

static void read_until(struct witness *witness, uint64_t records, uint64_t epochs)
{
	unsigned int call = 0;
	uint64_t begun_ns = stage_now_ns(), now_ns = begun_ns;

	while (!witness->wrong && !enough(witness, records, epochs, now_ns - begun_ns)) {
		if (++call % 32 == 0)
			now_ns = stage_now_ns();
		if (witness_next(witness, now_ns) != SCAPH_CURSOR_RECORD)
			now_ns = stage_now_ns();
	}
}

/* The reader's part; whether all that was published by the end was read. */
static bool read_all(struct witness *witness, enum scaph_mode mode, uint64_t records,
		     uint64_t epochs)
{
	uint64_t begun_ns = stage_now_ns(), took_ns;
	bool drained;

	witness_open(witness, ledger, mode);
	witness->check_losses = true;
	read_until(witness, records, epochs);
	took_ns = stage_now_ns() - begun_ns;
	ledger_set_order(ledger, LEDGER_REST);
	drained = witness_drain(witness, stage_now_ns() + DRAIN_NS);
	printf("# %.1f M records delivered and checked in %.2f s: %.1f M/s\n",
	       (double)witness->delivered / 1e6, (double)took_ns / 1e9,
	       (double)witness->delivered * 1e3 / (double)took_ns);
	return drained;
}

static void report(struct witness *witness, bool drained, bool pauses)
{
	stage_check(witness->wrong == 0,
		    "no wrong record accepted, no record called lost that is there");
	stage_check(drained, "read to the end of what was published");
	stage_check(witness_settle(witness), "delivered + lost + unknown tail = published");
	if (pauses)
		stage_check(witness->lost == 0, "nothing lost with the ring far from full");
	printf("# %llu new epochs met, stale %llu times\n", (unsigned long long)witness->epochs,
	       (unsigned long long)witness->stale);
}

int main(int argc, char **argv)
{
	bool threads = argc > 2 && strcmp(argv[2], "--threads") == 0;
	bool pauses = argc > 2 && strcmp(argv[2], "--pauses") == 0;
	enum scaph_mode mode = argc > 1 && strcmp(argv[1], "snapshot") == 0 ? SCAPH_MODE_SNAPSHOT
									    : SCAPH_MODE_COHERENT;
	uint64_t records = RECORDS, epochs = EPOCHS_LEAST;
	struct witness witness;
	bool drained, ended = true;
	pthread_t thread;
	pid_t pid = 0;

	if (argc < 2 || argc > 3 || (argc == 3 && !threads && !pauses)) {
		fprintf(stderr, "usage: flatout coherent|snapshot [--threads | --pauses]\n");
		return 2;
	}
	if (pauses) {
		records = 2 * stage_scaled(PAUSES_FULL, PAUSES_LEAST);
		epochs = 0;
	} else if (threads) {
		records = stage_scaled(RECORDS_THREADS, RECORDS_THREADS_LEAST);
	}
	alarm(BUDGET_S);
	stage_open();
	ledger = ledger_new();
	if (threads) {
		author_open(&author, ledger);
		pthread_create(&thread, NULL, write_in_thread, NULL);
	} else {
		pid = stage_fork(write_in_process, pauses ? write_with_pauses : write_flat_out);
	}
	drained = read_all(&witness, mode, records, epochs);
	ledger_set_order(ledger, LEDGER_END);
	if (threads)
		pthread_join(thread, NULL);
	else
		ended = stage_ended_well(pid);
	stage_check(ended, "the writer ended in order");
	report(&witness, drained, pauses);
	witness_close(&witness);
	if (threads)
		author_close(&author);
	stage_close();
	return stage_verdict();
}
