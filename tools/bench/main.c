/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - scaph-bench: options, rounds, report
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bench/partner.h"
#include "tools/bench/report.h"
#include "tools/bench/scale.h"
#include "tools/bench/topic.h"

#define ROUNDS 21
#define BRIEF_ROUNDS 7
#define ROUNDS_MAX 10000

struct options {
	struct bench_plan plan;
	struct bench_scale scale;
	bool scaling;
	bool json;
	const char *plot;
};

static const char help[] =
	"Usage: scaph-bench [OPTION]...\n"
	"Measure scaphring's transport beside the machine's floors and its peers, interleaved, in "
	"one run.\n"
	"\n"
	"      --rounds N   how many times each is visited (default 21); medians are over rounds\n"
	"      --short      fewer rounds and events: good for ratios\n"
	"      --json       one JSON object on standard output instead of the table\n"
	"      --plot FILE  draw the costs as an SVG picture\n"
	"\n"
	"      --scale      measure the daemon instead, with 10, 100 and 1,000 domains, beside a "
	"bare loop\n"
	"      --scaphd FILE  the daemon (default: the one beside this program in the build)\n"
	"      --meter NAME   its meter (default bpf, or cputime where that cannot be had)\n"
	"      --window MS    its window (default as it chooses)\n"
	"      --seconds N    measured with each number of domains (default 10)\n"
	"\n"
	"      --help       show this and exit\n"
	"      --version    show the version and exit\n"
	"\n"
	"Two idle CPUs, please: whatever else runs is measured too. Takes about a minute and 400 "
	"MiB of /dev/shm.\n";

static unsigned int number_of(const char *option, const char *text, unsigned int most)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || end == text || !number || number > most)
		errx(2, "--%s %s: not a number from 1 to %u", option, text, most);
	return (unsigned int)number;
}

/* BUILD/tools/bench/scaph-bench -> BUILD/producer/scaphd */
static const char *scaphd_beside(void)
{
	static char path[PATH_MAX + sizeof("/producer/scaphd")];
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);

	path[length > 0 ? length : 0] = '\0';
	for (int up = 0; up < 3; up++) {
		char *slash = strrchr(path, '/');

		if (slash)
			*slash = '\0';
	}
	strcat(path, "/producer/scaphd");
	return path;
}

static void parse(int argc, char **argv, struct options *options)
{
	enum {
		ROUNDS_OPTION = 256,
		SHORT,
		JSON,
		PLOT,
		SCALE,
		SCAPHD,
		METER,
		WINDOW,
		SECONDS,
		HELP,
		VERSION
	};
	static const struct option known[] = {
		{ "rounds", required_argument, NULL, ROUNDS_OPTION },
		{ "short", no_argument, NULL, SHORT },
		{ "json", no_argument, NULL, JSON },
		{ "plot", required_argument, NULL, PLOT },
		{ "scale", no_argument, NULL, SCALE },
		{ "scaphd", required_argument, NULL, SCAPHD },
		{ "meter", required_argument, NULL, METER },
		{ "window", required_argument, NULL, WINDOW },
		{ "seconds", required_argument, NULL, SECONDS },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case ROUNDS_OPTION:
			options->plan.rounds = number_of("rounds", optarg, ROUNDS_MAX);
			break;
		case SHORT:
			options->plan.brief = true;
			break;
		case JSON:
			options->json = true;
			break;
		case PLOT:
			options->plot = optarg;
			break;
		case SCALE:
			options->scaling = true;
			break;
		case SCAPHD:
			options->scale.scaphd = optarg;
			break;
		case METER:
			options->scale.meter = optarg;
			break;
		case WINDOW:
			options->scale.window_ms = number_of("window", optarg, 1000);
			break;
		case SECONDS:
			options->scale.seconds = number_of("seconds", optarg, 3600);
			break;
		case HELP:
			fputs(help, stdout);
			exit(0);
		case VERSION:
			puts("scaph-bench " SCAPH_VERSION);
			exit(0);
		default:
			fprintf(stderr, "scaph-bench --help lists the options\n");
			exit(2);
		}
	}
	if (optind < argc)
		errx(2, "%s: takes no argument; --help lists the options", argv[optind]);
	if (!options->plan.rounds)
		options->plan.rounds = options->plan.brief ? BRIEF_ROUNDS : ROUNDS;
}

static volatile sig_atomic_t ended_by;

/* The round is played to its end, so that nothing is left behind. */
static void on_signal(int number)
{
	ended_by = number;
}

static void progress(unsigned int round, unsigned int rounds)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rround %u of %u%s", round, rounds,
			round < rounds ? "" : "\r\033[K");
}

static void run(struct bench_plan *plan)
{
	for (unsigned int i = 0; bench_topics[i]; i++)
		bench_topics[i]->open(plan);
	for (unsigned int round = 0; round < plan->rounds && !ended_by; round++) {
		progress(round, plan->rounds);
		for (unsigned int i = 0; bench_topics[i] && !ended_by; i++)
			bench_topics[i]->round(plan);
	}
	plan->ended = ended_by;
	for (unsigned int i = 0; bench_topics[i]; i++)
		bench_topics[i]->close(plan);
	progress(plan->rounds, plan->rounds);
}

static void draw(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		err(1, "%s: the picture cannot be written", path);
	bench_plot_print(file);
	if (fclose(file))
		err(1, "%s: the picture cannot be written", path);
}

int main(int argc, char **argv)
{
	struct options options = { .scale = { .seconds = 10 } };

	parse(argc, argv, &options);
	if (options.scaling) {
		options.scale.json = options.json;
		if (!options.scale.scaphd)
			options.scale.scaphd = scaphd_beside();
		return bench_scale_run(&options.scale);
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, SIG_IGN);
	bench_take_core();
	run(&options.plan);
	if (ended_by)
		return 128 + ended_by;
	if (options.json && bench_json_print(stdout, &options.plan) < 0)
		errx(1, "the result cannot be written");
	if (!options.json)
		bench_table_print(stdout, &options.plan);
	if (options.plot)
		draw(options.plot);
	return 0;
}
