/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - scaph-bench-guest: what a record costs its reader in a guest, over each path, beside a text file
 *
 * All paths in one run, taking turns in every 20 ms, so that whatever else the machine does meets all of them. Each wakes
 * from a sleep of its own before it is timed, as its user would, and none finds what another has just warmed. One thread.
 * The host's side is scaph-bench-feeder.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/bench/guest/cost.h"
#include "tools/bench/guest/ivshmem.h"
#include "tools/bench/guest/payload.h"
#include "tools/bench/guest/stream.h"
#include "tools/bench/guest/textfile.h"

#define SECONDS 20
#define SECONDS_MAX 3600
#define TICKS_A_BATCH 5 /* 100 ms */
#define TICKS_A_LONG_BATCH 50 /* 1 s */
#define QUARTER_NS (BENCH_WINDOW_NS / 4)

enum { STREAM, BRIEF, LATEST, BARE, PATHS };

struct bench {
	struct bench_textfile text[2]; /* the least calls; Scaphandre's */
	struct bench_stream stream; /* 20 ms records, batches of 100 ms */
	struct bench_stream brief; /* 1 ms records, batches of 1 s */
	struct bench_ivshmem shm;
	struct bench_cost nothing; /* the clocks alone */
};

static void show_help(void)
{
	printf("Usage: scaph-bench-guest [OPTION]... SHARE RESOURCE2\n"
	       "In a guest: what a record costs its reader over virtiofs and ivshmem, beside a "
	       "text "
	       "file.\n\n"
	       "  SHARE      the mounted share, into which scaph-bench-feeder writes on the host\n"
	       "  RESOURCE2  the ivshmem device's, in /sys/bus/pci/devices/ADDRESS/\n\n"
	       "  --seconds N\n        measure this long (default %d)\n"
	       "  -h, --help\n        show this and exit\n\n"
	       "Prints one JSON object; times are nanoseconds a record. Exit status: 0 if every "
	       "record read was right.\n",
	       SECONDS);
}

static void run(struct bench *bench, uint64_t seconds)
{
	uint64_t start_ns = bench_now_ns() + BENCH_WINDOW_NS;
	uint64_t ticks = seconds * NS_PER_S / BENCH_WINDOW_NS;

	for (uint64_t tick = 0; tick < ticks; tick++) {
		uint64_t at_ns = start_ns + tick * BENCH_WINDOW_NS;
		struct bench_mark begun;

		bench_sleep_until(at_ns);
		bench_textfile_read(&bench->text[tick % 2]);
		bench_sleep_until(at_ns + QUARTER_NS);
		if (tick % TICKS_A_BATCH == 0)
			bench_stream_read(&bench->stream);
		bench_sleep_until(at_ns + 2 * QUARTER_NS);
		if (tick % TICKS_A_LONG_BATCH == 0)
			bench_stream_read(&bench->brief);
		/* The first of each has whatever came since it was opened. */
		if (tick == 0) {
			bench_stream_reset(&bench->stream);
			bench_stream_reset(&bench->brief);
		}
		bench_sleep_until(at_ns + 3 * QUARTER_NS);
		begun = bench_cost_begin();
		bench_cost_add(&bench->nothing, bench_cost_end(begun), 1);
		bench_ivshmem_read(&bench->shm);
	}
}

/* A path's figures, the object left open for more. */
static double show_cost(const char *name, struct bench_cost *cost)
{
	double median_ns = bench_series_percentile(&cost->wall_ns, 50);

	printf(",\n \"%s\": {\"ns\": %.1f, \"p99_ns\": %.1f, \"cpu_ns\": %.1f, \"samples\": %zu",
	       name, median_ns, bench_series_percentile(&cost->wall_ns, 99),
	       bench_series_percentile(&cost->cpu_ns, 50), cost->wall_ns.count);
	return median_ns;
}

static double show_stream(const char *name, struct bench_stream *stream)
{
	double median_ns = show_cost(name, &stream->cost);
	double batches = stream->batches ? (double)stream->batches : 1;

	printf(", \"pread_ns\": %.1f, \"records_a_batch\": %.1f, \"preads_a_batch\": %.2f, "
	       "\"bytes_a_pread\": %.0f, \"lost\": %" PRIu64 "}",
	       bench_series_percentile(&stream->pread_ns, 50), (double)stream->delivered / batches,
	       (double)stream->preads / batches,
	       stream->preads ? (double)stream->pread_bytes / (double)stream->preads : 0,
	       scaph_lost(stream->reader));
	return median_ns;
}

/* How many times dearer than each path a text file is; 0 where nothing was measured. */
static void show_ratios(const char *name, double text_ns, const double path_ns[PATHS])
{
	static const char *const names[PATHS] = { "virtiofs_20ms", "virtiofs_1ms", "ivshmem_latest",
						  "ivshmem_bare" };

	printf(",\n \"%s\": {", name);
	for (int i = 0; i < PATHS; i++)
		printf("%s\"%s\": %.1f", i ? ", " : "", names[i],
		       path_ns[i] > 0 ? text_ns / path_ns[i] : 0);
	printf("}");
}

static void show(struct bench *bench, uint64_t seconds)
{
	double text_ns[2], path_ns[PATHS];

	printf("{\"seconds\": %" PRIu64 ", \"clock_ns\": %.1f, \"bad_records\": %" PRIu64, seconds,
	       bench_series_percentile(&bench->nothing.wall_ns, 50),
	       bench->stream.bad + bench->brief.bad + bench->shm.bad);
	for (int i = 0; i < 2; i++) {
		text_ns[i] = show_cost(i ? "text_scaphandre" : "text", &bench->text[i].cost);
		printf(", \"bad_reads\": %" PRIu64 "}", bench->text[i].bad);
	}
	path_ns[STREAM] = show_stream("virtiofs_20ms", &bench->stream);
	path_ns[BRIEF] = show_stream("virtiofs_1ms", &bench->brief);
	path_ns[LATEST] = show_cost("ivshmem_latest", &bench->shm.latest);
	printf("}");
	show_cost("ivshmem_again", &bench->shm.again);
	printf("}");
	path_ns[BARE] = show_cost("ivshmem_bare", &bench->shm.bare);
	printf("}");
	show_ratios("ratios", text_ns[0], path_ns);
	show_ratios("ratios_scaphandre", text_ns[1], path_ns);
	printf("}\n");
}

static int fail(const char *path, int r)
{
	fprintf(stderr, "scaph-bench-guest: %s: %s; does scaph-bench-feeder run on the host?\n",
		path, strerror(-r));
	return EXIT_FAILURE;
}

static int measure(const char *share, const char *resource, uint64_t seconds)
{
	struct bench bench = {};
	char text[4096], folder[4096];
	int r;

	snprintf(text, sizeof(text), "%s/" BENCH_TEXT_FILE, share);
	snprintf(folder, sizeof(folder), "%s/" BENCH_SHORT_FOLDER, share);
	bench.text[0].path = bench.text[1].path = text;
	bench.text[1].as_scaphandre = true;
	r = bench_ivshmem_open(&bench.shm, resource);
	if (r < 0)
		return fail(resource, r);
	r = bench_stream_open(&bench.stream, share, BENCH_WINDOW_NS);
	if (r < 0)
		return fail(share, r);
	r = bench_stream_open(&bench.brief, folder, BENCH_WINDOW_SHORT_NS);
	if (r < 0)
		return fail(folder, r);
	run(&bench, seconds);
	show(&bench, seconds);
	r = bench.stream.bad + bench.brief.bad + bench.shm.bad ? EXIT_FAILURE : EXIT_SUCCESS;
	bench_stream_close(&bench.stream);
	bench_stream_close(&bench.brief);
	bench_ivshmem_close(&bench.shm);
	bench_cost_free(&bench.text[0].cost);
	bench_cost_free(&bench.text[1].cost);
	bench_cost_free(&bench.nothing);
	return r;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	uint64_t seconds = SECONDS;
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		char *end;

		if (choice == 'h') {
			show_help();
			return EXIT_SUCCESS;
		}
		if (choice != 's')
			return EXIT_FAILURE;
		seconds = strtoull(optarg, &end, 10);
		if (end == optarg || *end || seconds < 1 || seconds > SECONDS_MAX) {
			fprintf(stderr,
				"scaph-bench-guest: --seconds %s: must be a whole number from 1 to "
				"%d\n",
				optarg, SECONDS_MAX);
			return EXIT_FAILURE;
		}
	}
	if (argc - optind != 2) {
		fprintf(stderr, "scaph-bench-guest: two places are needed, the share and the "
				"device's resource2; --help shows them\n");
		return EXIT_FAILURE;
	}
	return measure(argv[optind], argv[optind + 1], seconds);
}
