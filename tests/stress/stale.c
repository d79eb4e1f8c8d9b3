/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stale.c - no false stale while both cores are loaded, no missed stale when the writer is stopped
 *
 * The writer keeps a daemon's pace of 20 ms with a daemon's priority where it may; a busy loop runs on
 * every core. Ten minutes at full size, SCAPH_SOAK_SECONDS when that is given. Then the writer is
 * stopped and let go on, again and again.
 */
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/stress/author.h"
#include "tests/stress/stage.h"
#include "tests/stress/witness.h"

#define CALM_FULL_S 600ULL
#define CALM_LEAST_S 20ULL
#define STOPS_FULL 50ULL
#define STOPS_LEAST 5ULL
#define LOADS_MAX 64
#define BEYOND_CALM_S 300U /* for the stops, of the time this program may take */
/* The reading rules' 250 ms for a window of 20 ms, and what a loaded machine needs to act on it. */
#define STALE_WITHIN_NS (750 * NS_PER_MS)
#define LIVE_WITHIN_NS (750 * NS_PER_MS)
#define LOOK_EVERY_NS (5 * NS_PER_MS)

static struct ledger *ledger;

static void burn(void *context)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static void write_paced(void *context)
{
	struct sched_param param = { .sched_priority = sched_get_priority_min(SCHED_FIFO) };
	struct author author;
	uint64_t due_ns;

	sched_setscheduler(0, SCHED_FIFO, &param);
	author_open(&author, ledger);
	author_begin(&author, AUTHOR_WINDOW_LONG_NS);
	due_ns = stage_now_ns();
	while (ledger_order(ledger) == LEDGER_PUBLISH) {
		author_publish(&author);
		author_upkeep(&author, stage_now_ns());
		due_ns += AUTHOR_WINDOW_LONG_NS;
		if (due_ns < stage_now_ns())
			due_ns = stage_now_ns();
		stage_sleep_until(due_ns);
	}
	author_rest(&author);
}

/* One reader a mode, side by side. */
static struct witness readers[2];
#define FOR_EACH_READER(reader)                                                                    \
	for (struct witness *reader = readers; reader < readers + 2; reader++)

/* All that is there now; what the last call said. */
static int read_on(struct witness *reader)
{
	int r;

	do {
		r = witness_next(reader, stage_now_ns());
	} while (r == SCAPH_CURSOR_RECORD && !reader->wrong);
	return r;
}

/* Read for a while; the readers sleep between looks as real ones do. */
static void watch(uint64_t end_ns)
{
	while (stage_now_ns() < end_ns) {
		FOR_EACH_READER(reader)
		read_on(reader);
		stage_sleep(LOOK_EVERY_NS);
	}
}

/* Until both readers say that it is stale, or got a record: how long that took. */
static uint64_t time_until(bool stale, uint64_t within_ns)
{
	uint64_t begun_ns = stage_now_ns(), now_ns = begun_ns;
	uint64_t had[2] = { readers[0].delivered, readers[1].delivered };
	unsigned int said = 0;

	while (now_ns - begun_ns < 2 * within_ns) {
		FOR_EACH_READER(reader)
		{
			unsigned int which = (unsigned int)(reader - readers);
			int r = read_on(reader);

			if (stale ? r == SCAPH_CURSOR_STALE : reader->delivered > had[which])
				said |= 1U << which;
		}
		now_ns = stage_now_ns();
		if (said == 3)
			return now_ns - begun_ns;
		stage_sleep(LOOK_EVERY_NS);
	}
	return UINT64_MAX;
}

static void stop_and_go(pid_t writer)
{
	uint64_t stops = stage_scaled(STOPS_FULL, STOPS_LEAST);
	uint64_t worst_stale_ns = 0, worst_live_ns = 0;

	for (uint64_t i = 0; i < stops; i++) {
		uint64_t took_ns;

		kill(writer, SIGSTOP);
		waitpid(writer, NULL, WUNTRACED);
		took_ns = time_until(true, STALE_WITHIN_NS);
		worst_stale_ns = took_ns > worst_stale_ns ? took_ns : worst_stale_ns;
		kill(writer, SIGCONT);
		took_ns = time_until(false, LIVE_WITHIN_NS);
		worst_live_ns = took_ns > worst_live_ns ? took_ns : worst_live_ns;
		watch(stage_now_ns() + stage_random(300) * NS_PER_MS);
	}
	printf("# %" PRIu64 " stops: stale after at most %.0f ms, live after at most %.0f ms\n",
	       stops, (double)worst_stale_ns / 1e6, (double)worst_live_ns / 1e6);
	stage_check(worst_stale_ns <= STALE_WITHIN_NS, "a stopped writer is said to be stale");
	stage_check(worst_live_ns <= LIVE_WITHIN_NS, "records again once it goes on");
}

static void live_under_load(uint64_t calm_s, long cpus)
{
	uint64_t stale = 0, least = UINT64_MAX;

	stage_check(time_until(false, LIVE_WITHIN_NS) != UINT64_MAX, "the first record came");
	FOR_EACH_READER(reader)
	reader->stale = reader->delivered = reader->worst_gap_ns = 0;
	watch(stage_now_ns() + calm_s * NS_PER_S);
	FOR_EACH_READER(reader)
	{
		printf("# %s, %" PRIu64 " s with %ld busy loops: %" PRIu64
		       " records, stale %" PRIu64 " times, longest time without a record %.0f ms\n",
		       reader == readers ? "coherent" : "snapshot", calm_s, cpus, reader->delivered,
		       reader->stale, (double)reader->worst_gap_ns / 1e6);
		stale += reader->stale;
		least = reader->delivered < least ? reader->delivered : least;
	}
	stage_check(stale == 0, "never stale while the writer lives");
	stage_check(least > calm_s * 50 * 9 / 10, "records at the writer's pace");
}

int main(void)
{
	const char *soak = getenv("SCAPH_SOAK_SECONDS");
	uint64_t calm_s = soak ? strtoull(soak, NULL, 10) : stage_scaled(CALM_FULL_S, CALM_LEAST_S);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t writer, loads[LOADS_MAX];
	uint64_t wrong = 0;

	alarm((unsigned int)calm_s + BEYOND_CALM_S);
	stage_open();
	ledger = ledger_new();
	for (long i = 0; i < cpus && i < LOADS_MAX; i++)
		loads[i] = stage_fork(burn, NULL);
	writer = stage_fork(write_paced, NULL);
	witness_open(&readers[0], ledger, SCAPH_MODE_COHERENT);
	witness_open(&readers[1], ledger, SCAPH_MODE_SNAPSHOT);
	live_under_load(calm_s, cpus);
	stop_and_go(writer);
	ledger_set_order(ledger, LEDGER_END);
	stage_check(stage_ended_well(writer), "the writer ended in order");
	FOR_EACH_READER(reader)
	{
		wrong += reader->wrong + reader->lost;
		witness_close(reader);
	}
	stage_check(wrong == 0, "nothing wrong, nothing lost");
	for (long i = 0; i < cpus && i < LOADS_MAX; i++) {
		kill(loads[i], SIGKILL);
		waitpid(loads[i], NULL, 0);
	}
	stage_close();
	return stage_verdict();
}
