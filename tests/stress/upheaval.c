/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upheaval.c - a reader while writers are killed at any moment, adopt anew, and old bytes come back
 *
 * upheaval coherent|snapshot [--storm]
 *
 * Four processes over a file on a tmpfs: the reader (this one), a keeper that starts writers and
 * kills them, the writer of the moment, and a restorer that puts earlier images of the file, or some
 * pages of one, over the live bytes, as the restore of a guest does.
 * --storm: no kills, restores without end under a writer at full speed, until a wrong record was
 * accepted or the budget is used up; proves that a reader without checksum is found out.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/seq.h"
#include "tests/stress/author.h"
#include "tests/stress/stage.h"
#include "tests/stress/witness.h"

#define KILLS_FULL 250ULL /* a mode */
#define RESTORES_FULL 2500ULL
#define KILLS_LEAST 5ULL
#define RESTORES_LEAST 50ULL
#define IMAGES 4U
#define IMAGE_EVERY 5U /* restores */
#define PAGE 4096U
#define STORM_NS (20 * NS_PER_S)
#define BUDGET_S 900U
#define SETTLE_NS (400 * NS_PER_MS)
#define DRAIN_NS (4 * NS_PER_S)
/* max(3 windows, 250 ms) + 1 s: no window here is above 20 ms. */
#define RECOVERY_LIMIT_NS (1250 * NS_PER_MS)

static struct ledger *ledger;
static bool storm;

/* At a window's pace, as a daemon does: until the order to rest, or a planned adoption is due. */
static void write_paced(struct author *author, uint64_t end_ns)
{
	uint64_t due_ns = stage_now_ns();

	while (due_ns < end_ns && ledger_order(ledger) == LEDGER_PUBLISH) {
		author_publish(author);
		author_upkeep(author, stage_now_ns());
		due_ns += AUTHOR_WINDOW_SHORT_NS;
		stage_sleep_until(due_ns);
	}
}

/* Full speed: whoever is killed here dies in the middle of a record. */
static void write_flat_out(struct author *author, uint64_t end_ns)
{
	uint64_t now_ns = 0;

	while (now_ns < end_ns && ledger_order(ledger) == LEDGER_PUBLISH) {
		for (int i = 0; i < 64; i++)
			author_publish(author);
		now_ns = stage_now_ns();
		author_upkeep(author, now_ns);
	}
}

static void write_until_killed(void *context)
{
	struct author author;

	author_open(&author, ledger);
	for (;;) {
		uint64_t end_ns = stage_now_ns() + (300 + stage_random(1500)) * NS_PER_MS;
		bool paced = !storm && stage_random(2);

		atomic_store(&ledger->disturbed_ns, stage_now_ns());
		author_begin(&author,
			     stage_random(2) ? AUTHOR_WINDOW_SHORT_NS : AUTHOR_WINDOW_LONG_NS);
		if (paced)
			write_paced(&author, end_ns);
		else
			write_flat_out(&author, end_ns);
		if (ledger_order(ledger) != LEDGER_PUBLISH)
			break;
		author_finish(&author);
		atomic_fetch_add(&ledger->adoptions, 1);
	}
	author_rest(&author);
}

/* Most writers live long enough to be read, some die while they adopt. */
static uint64_t random_life_ns(void)
{
	if (stage_random(5) == 0)
		return stage_random(5 * NS_PER_MS);
	return 300 * NS_PER_MS + stage_random(500 * NS_PER_MS);
}

/* After one disturbance in five the reader gets the time to recover, else the next comes on top. */
static uint64_t patience_ns(void)
{
	return !storm && stage_random(5) == 0 ? 2 * RECOVERY_LIMIT_NS : 0;
}

static void keep_writers(void *context)
{
	uint32_t kills = storm ? 0 : (uint32_t)stage_scaled(KILLS_FULL, KILLS_LEAST);
	pid_t pid;

	ledger_disturb(ledger);
	for (uint32_t i = 0; i < kills && ledger_order(ledger) == LEDGER_PUBLISH; i++) {
		pid = stage_fork(write_until_killed, NULL);
		ledger_leave(ledger, patience_ns());
		stage_sleep(random_life_ns());
		ledger_disturb(ledger);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		atomic_fetch_add(&ledger->kills, 1);
	}
	ledger_leave(ledger, 0);
	pid = stage_fork(write_until_killed, NULL);
	if (!stage_ended_well(pid))
		_exit(1);
}

struct images {
	uint8_t *live;
	size_t bytes;
	uint8_t *kept[IMAGES];
	unsigned int count;
};

static void images_open(struct images *images)
{
	struct stat st;
	int fd = open(stage_path(), O_RDWR | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		_exit(1);
	*images = (struct images){ .bytes = (size_t)st.st_size };
	images->live = mmap(NULL, images->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (images->live == MAP_FAILED)
		_exit(1);
	for (unsigned int i = 0; i < IMAGES; i++)
		images->kept[i] = malloc(images->bytes);
}

/* Copies of memory that others write: torn, as a saved guest's pages are. */
static void save(struct images *images)
{
	memcpy(images->kept[images->count++ % IMAGES], images->live, images->bytes);
}

static void restore(struct images *images)
{
	unsigned int kept = images->count < IMAGES ? images->count : IMAGES;
	const uint8_t *image = images->kept[stage_random(kept)];
	size_t pages = images->bytes / PAGE, first = 0, count = pages;

	if (stage_random(2)) {
		count = 1 + stage_random(8);
		first = stage_random(pages - count);
	}
	memcpy(images->live + first * PAGE, image + first * PAGE, count * PAGE);
}

/*
 * The page that is being written, out of a save that met the writer in each of its slots: numbers and
 * first halves of now, second halves of an earlier image. Only a checksum tells.
 */
static void restore_torn(struct images *images)
{
	const uint8_t *old = images->kept[(images->count - 1) % IMAGES];
	const struct scaph_head *head = (void *)(images->live + SCAPH_HEAD_OFFSET);
	const struct scaph_descriptor *desc = (void *)images->live;
	uint64_t slots = desc->blocks[0].count, offset;
	uint8_t page[PAGE];

	if (!slots || slots > images->bytes / SCAPH_SLOT_BYTES)
		return;
	offset = SCAPH_PREFIX_BYTES +
		 (scaph_seq_index(head->fast_head) & (slots - 1)) * SCAPH_SLOT_BYTES;
	offset -= offset % PAGE;
	memcpy(page, images->live + offset, PAGE);
	for (size_t at = SCAPH_SLOT_BYTES / 2; at < PAGE; at += SCAPH_SLOT_BYTES)
		memcpy(page + at, old + offset + at, SCAPH_SLOT_BYTES / 2);
	memcpy(images->live + offset, page, PAGE);
}

static void storm_on(struct images *images)
{
	for (unsigned int i = 0; i < 64; i++) {
		restore_torn(images);
		stage_sleep(stage_random(20000));
	}
}

static void restore_often(void *context)
{
	uint32_t restores = (uint32_t)stage_scaled(RESTORES_FULL, RESTORES_LEAST);
	struct images images;

	images_open(&images);
	for (uint32_t i = 0; (storm || i < restores) && !atomic_load(&ledger->calm); i++) {
		if (i % IMAGE_EVERY == 0)
			save(&images);
		if (storm)
			storm_on(&images);
		stage_sleep(storm ? stage_random(NS_PER_MS)
				  : 10 * NS_PER_MS + stage_random(90 * NS_PER_MS));
		ledger_disturb(ledger);
		if (stage_random(4))
			restore(&images);
		else
			restore_torn(&images);
		ledger_leave(ledger, patience_ns());
		atomic_fetch_add(&ledger->restores, 1);
	}
}

static void read_while(struct witness *witness, uint64_t end_ns, bool (*goes_on)(void))
{
	unsigned int call = 0;
	uint64_t now_ns = stage_now_ns();

	while (!witness->wrong && now_ns < end_ns && goes_on()) {
		int r = witness_next(witness, now_ns);

		if (r == SCAPH_CURSOR_RECORD && ++call % 32)
			continue;
		if (r == SCAPH_CURSOR_EMPTY || r == SCAPH_CURSOR_STALE ||
		    r == SCAPH_CURSOR_UNPROVEN || r == SCAPH_CURSOR_REFUSED)
			stage_sleep(NS_PER_MS / 10);
		now_ns = stage_now_ns();
	}
}

static bool upheaval_goes_on(void)
{
	return atomic_load(&ledger->kills) < stage_scaled(KILLS_FULL, KILLS_LEAST) ||
	       atomic_load(&ledger->restores) < stage_scaled(RESTORES_FULL, RESTORES_LEAST);
}

static bool always(void)
{
	return true;
}

static void report(struct witness *witness, bool drained)
{
	printf("# kills %u, planned adoptions %u, restores %u; stale %" PRIu64
	       " times, new epochs met %" PRIu64 "\n",
	       atomic_load(&ledger->kills), atomic_load(&ledger->adoptions),
	       atomic_load(&ledger->restores), witness->stale, witness->epochs);
	printf("# %" PRIu64 " recoveries, the longest %.0f ms; longest time without a record, over "
	       "several disturbances, %.0f ms\n",
	       witness->recoveries, (double)witness->worst_recovery_ns / 1e6,
	       (double)witness->worst_gap_ns / 1e6);
	stage_check(witness->wrong == 0, "no wrong record accepted");
	if (!storm)
		stage_check(witness->worst_recovery_ns <= RECOVERY_LIMIT_NS &&
				    atomic_load(&ledger->unrecovered) == 0,
			    "a record again within max(3 windows, 250 ms) + 1 s");
	stage_check(drained, "read to the end of what was published");
	stage_check(witness_settle(witness), "delivered + lost + unknown tail = published");
}

int main(int argc, char **argv)
{
	enum scaph_mode mode = argc > 1 && strcmp(argv[1], "snapshot") == 0 ? SCAPH_MODE_SNAPSHOT
									    : SCAPH_MODE_COHERENT;
	uint64_t end_ns = UINT64_MAX;
	struct witness witness;
	pid_t keeper, restorer;
	bool drained;

	storm = argc > 2 && strcmp(argv[2], "--storm") == 0;
	if (argc < 2 || argc > 3 || (argc == 3 && !storm)) {
		fprintf(stderr, "usage: upheaval coherent|snapshot [--storm]\n");
		return 2;
	}
	alarm(BUDGET_S);
	stage_open();
	ledger = ledger_new();
	keeper = stage_fork(keep_writers, NULL);
	witness_open(&witness, ledger, mode);
	restorer = stage_fork(restore_often, NULL);
	if (storm)
		end_ns = stage_now_ns() + STORM_NS;
	read_while(&witness, end_ns, storm ? always : upheaval_goes_on);
	atomic_store(&ledger->calm, true);
	stage_check(stage_ended_well(restorer), "the restorer ended in order");
	read_while(&witness, stage_now_ns() + SETTLE_NS, always);
	ledger_set_order(ledger, LEDGER_REST);
	drained = witness_drain(&witness, stage_now_ns() + DRAIN_NS);
	ledger_set_order(ledger, LEDGER_END);
	stage_check(stage_ended_well(keeper), "the last writer ended in order");
	report(&witness, drained);
	witness_close(&witness);
	stage_close();
	return stage_verdict();
}
