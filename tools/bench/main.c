/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - scaph-bench: options, rounds, report
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bench/partner.h"
#include "tools/bench/report.h"
#include "tools/bench/topic.h"

#define ROUNDS 21
#define BRIEF_ROUNDS 7
#define ROUNDS_MAX 10000

struct options {
	struct bench_plan plan;
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
	"      --help       show this and exit\n"
	"      --version    show the version and exit\n"
	"\n"
	"Two idle CPUs, please: whatever else runs is measured too. Takes about a minute and 400 "
	"MiB of /dev/shm.\n";

static unsigned int rounds_of(const char *text)
{
	char *end;
	unsigned long rounds = strtoul(text, &end, 10);

	if (*end || !rounds || rounds > ROUNDS_MAX)
		errx(2, "--rounds %s: not a number from 1 to %d", text, ROUNDS_MAX);
	return (unsigned int)rounds;
}

static void parse(int argc, char **argv, struct options *options)
{
	enum { ROUNDS_OPTION = 256, SHORT, JSON, PLOT, HELP, VERSION };
	static const struct option known[] = {
		{ "rounds", required_argument, NULL, ROUNDS_OPTION },
		{ "short", no_argument, NULL, SHORT },
		{ "json", no_argument, NULL, JSON },
		{ "plot", required_argument, NULL, PLOT },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case ROUNDS_OPTION:
			options->plan.rounds = rounds_of(optarg);
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
	struct options options = {};

	parse(argc, argv, &options);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
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
