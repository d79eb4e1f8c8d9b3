/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feeder.c - the host's side of the guest benchmark: writes one guest's files at their rates
 *
 *   SHARE/scaph.ring, IVSHMEM       a record every 20 ms, the same in both
 *   SHARE/short/scaph.ring          a record every ms: scaphd's meters have no window that short
 *   SHARE/intel-rapl:0/energy_uj    the 20 ms record's energy as text, truncated and written anew as Scaphandre does
 *
 * One thread, absolute deadlines; a deadline that was missed is made up for, so that no number is left out. Ends at
 * SIGTERM or with its parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/descriptor.h"
#include "proto/names.h"
#include "proto/seq.h"
#include "shm/segment.h"
#include "shm/writer.h"
#include "tools/bench/guest/payload.h"

#define TICK_NS BENCH_WINDOW_SHORT_NS
#define TICKS_A_WINDOW (BENCH_WINDOW_NS / TICK_NS)
#define TICKS_A_BEAT (SCAPH_BEAT_PERIOD_NS / TICK_NS / 2)
#define TICKS_A_SECOND (NS_PER_S / TICK_NS)

struct outlet {
	struct scaph_segment segment;
	struct scaph_writer writer;
};

enum { OUTLET_SHARE, OUTLET_IVSHMEM, OUTLET_SHORT, OUTLETS };

static volatile sig_atomic_t ended;

static void end(int signal)
{
	ended = 1;
}

/* One line on what cannot be done, and out. */
static _Noreturn void fail(const char *what, int r)
{
	fprintf(stderr, "scaph-bench-feeder: %s: %s\n", what,
		r < 0 ? strerror(-r) : scaph_segment_refusal_text((enum scaph_segment_refusal)r));
	exit(EXIT_FAILURE);
}

static int open_folder(const char *path, bool make)
{
	int fd;

	if (make && mkdir(path, 0755) < 0 && errno != EEXIST)
		fail(path, -errno);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fail(path, -errno);
	return fd;
}

/* An invented figure is an estimate, and says so. */
static void describe(struct scaph_descriptor *desc, const char *uuid, uint64_t window_ns,
		     uint64_t *ret_bytes)
{
	scaph_descriptor_init(desc);
	if (scaph_uuid_parse(uuid, desc->uuid) < 0)
		fail(uuid, -EINVAL);
	snprintf(desc->name, sizeof(desc->name), "benchmark");
	desc->subject = SCAPH_SUBJECT_DOMAIN;
	desc->window_ns = window_ns;
	desc->zones = SCAPH_ZONE_PACKAGE;
	desc->source = SCAPH_SOURCE_MODEL;
	desc->meter = SCAPH_METER_CPUTIME;
	desc->profile = SCAPH_PROFILE_TRUSTED;
	desc->quality = SCAPH_QUALITY_ESTIMATED;
	do {
		if (getrandom(&desc->epoch_id, sizeof(desc->epoch_id), 0) < 0)
			fail("getrandom", -errno);
	} while (!scaph_epoch_id_usable(desc->epoch_id));
	scaph_descriptor_place_rings(desc, ret_bytes);
}

static void open_in_folder(struct outlet *outlet, const char *folder, bool make,
			   const struct scaph_descriptor *desc, uint64_t bytes)
{
	int fd = open_folder(folder, make);
	int r = scaph_segment_open(fd, SCAPH_SEGMENT_NAME, bytes, 0644, SCAPH_SEGMENT_KEEP_GROUP,
				   &outlet->segment);

	if (r)
		fail(folder, r);
	close(fd);
	scaph_writer_adopt(&outlet->writer, outlet->segment.guard.map, outlet->segment.bytes, desc);
}

static void open_ivshmem(struct outlet *outlet, const char *path,
			 const struct scaph_descriptor *desc, uint64_t bytes)
{
	char *folder = strdup(path), *name = strdup(path);
	int fd = open_folder(dirname(folder), false);
	int r = scaph_segment_open_ivshmem(fd, basename(name), bytes, &outlet->segment);

	if (r)
		fail(path, r);
	close(fd);
	free(folder);
	free(name);
	scaph_writer_adopt(&outlet->writer, outlet->segment.guard.map, outlet->segment.bytes, desc);
}

/* @slow: in the slow ring as well. */
static void publish(struct outlet *outlet, uint64_t number, bool slow)
{
	const struct scaph_slot record = {
		.mono_ns = bench_mono_ns(number, outlet->writer.desc.window_ns),
		.package_uj = bench_package_uj(number),
		.cpu_ns = bench_cpu_ns(number),
		.flags = SCAPH_FLAG_PACKAGE | SCAPH_FLAG_CPU | SCAPH_FLAG_ESTIMATED,
	};

	if (scaph_writer_publish(&outlet->writer, &record))
		fail("publish", -EOVERFLOW);
	if (slow)
		scaph_writer_publish_slow(&outlet->writer, &record);
}

static void write_text(const char *path, uint64_t number)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || dprintf(fd, "%" PRIu64 "\n", bench_package_uj(number)) < 0)
		fail(path, -errno);
	close(fd);
}

static void feed(struct outlet *outlets, const char *text)
{
	struct timespec ts;
	uint64_t start_ns;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	start_ns = (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
	for (uint64_t tick = 1; !ended; tick++) {
		bench_sleep_until(start_ns + tick * TICK_NS);
		publish(&outlets[OUTLET_SHORT], tick - 1, tick % TICKS_A_SECOND == 0);
		if (tick % TICKS_A_WINDOW == 0) {
			publish(&outlets[OUTLET_SHARE], tick / TICKS_A_WINDOW - 1,
				tick % TICKS_A_SECOND == 0);
			publish(&outlets[OUTLET_IVSHMEM], tick / TICKS_A_WINDOW - 1,
				tick % TICKS_A_SECOND == 0);
			write_text(text, tick / TICKS_A_WINDOW - 1);
		}
		for (int i = 0; i < OUTLETS; i++) {
			if (tick % TICKS_A_BEAT == 0)
				scaph_writer_beat(&outlets[i].writer);
			if (tick % TICKS_A_SECOND == 0)
				scaph_writer_refresh(&outlets[i].writer);
		}
	}
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = end };
	struct outlet outlets[OUTLETS];
	struct scaph_descriptor desc;
	char folder[4096], text[4096];
	uint64_t bytes;

	if (argc != 4) {
		fprintf(stderr, "Usage: scaph-bench-feeder SHARE IVSHMEM UUID\n");
		return EXIT_FAILURE;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	describe(&desc, argv[3], BENCH_WINDOW_NS, &bytes);
	open_in_folder(&outlets[OUTLET_SHARE], argv[1], false, &desc, bytes);
	open_ivshmem(&outlets[OUTLET_IVSHMEM], argv[2], &desc, bytes);
	describe(&desc, argv[3], BENCH_WINDOW_SHORT_NS, &bytes);
	snprintf(folder, sizeof(folder), "%s/" BENCH_SHORT_FOLDER, argv[1]);
	open_in_folder(&outlets[OUTLET_SHORT], folder, true, &desc, bytes);
	snprintf(folder, sizeof(folder), "%s/" BENCH_TEXT_FOLDER, argv[1]);
	close(open_folder(folder, true));
	snprintf(text, sizeof(text), "%s/" BENCH_TEXT_FILE, argv[1]);
	write_text(text, 0);
	feed(outlets, text);
	for (int i = 0; i < OUTLETS; i++) {
		scaph_writer_set_status(
			&outlets[i].writer,
			&(struct scaph_status){ .state = SCAPH_STATE_RETIRED,
						.reasons = SCAPH_REASON_PRODUCER_ENDED });
		scaph_segment_close(&outlets[i].segment);
	}
	return EXIT_SUCCESS;
}
