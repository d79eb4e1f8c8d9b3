/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - scaph: one command, its subcommands, and programs named scaph-WORD
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consumer/command/options.h"
#include "consumer/command/view.h"
#include "consumer/command/worker.h"
#include "consumer/doctor/doctor.h"
#include "consumer/run/run.h"

static int work_text(struct scaph_worker *worker, const struct scaph_view_options *options)
{
	return scaph_show(worker, options, &scaph_view_text);
}

static int work_json(struct scaph_worker *worker, const struct scaph_view_options *options)
{
	return scaph_show(worker, options, &scaph_view_json);
}

static int work_record(struct scaph_worker *worker, const struct scaph_view_options *options)
{
	return scaph_show(worker, options, &scaph_view_record);
}

static int run_view(int argc, char **argv)
{
	struct scaph_view_options options;
	int r = scaph_view_options_read(argc, argv, &options);

	if (r)
		return r == SCAPH_OPTIONS_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
	if (strcmp(argv[0], "record") == 0)
		return scaph_worker_run(&options, work_record);
	return scaph_worker_run(&options, strcmp(argv[0], "json") == 0 ? work_json : work_text);
}

static const struct subcommand {
	const char *name;
	const char *help;
	int (*run)(int argc, char **argv); /* NULL: the program scaph-NAME */
} subcommands[] = {
	{ "text", "energy and power as text; on a host a row for each domain", run_view },
	{ "json", "the same as JSON, one object a line", run_view },
	{ "stdout", "the same as text", run_view },
	{ "record", "record all of it, for --replay", run_view },
	{ "run", "run a command and say what energy it took", scaph_run },
	{ "doctor", "say what is wrong here, and what mends it", scaph_doctor },
	{ "prometheus", "serve the same to Prometheus", NULL },
	{ "guest-setup", "make a guest find its figures at every start", NULL },
};
#define SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static void show_help(void)
{
	printf("Usage: scaph SUBCOMMAND [OPTION]...\n"
	       "Show the energy of this virtual machine, or on a host of every one.\n\n");
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		printf("  %-11s %s\n", subcommands[i].name, subcommands[i].help);
	printf("\n  --help      show this and exit\n"
	       "  --version   show the version and exit\n\n"
	       "scaph SUBCOMMAND --help shows a subcommand's options; other words run the program "
	       "scaph-WORD.\n");
}

static bool is_listed(const char *word)
{
	for (size_t i = 0; i < SUBCOMMANDS; i++) {
		if (strcmp(word, subcommands[i].name) == 0)
			return true;
	}
	return false;
}

/* As git does: a word we do not know is a program's name; one beside us comes before those on the path. */
static int run_program(char **argv)
{
	char name[256], path[PATH_MAX + 256];
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	errno = ENOENT;
	if (!strchr(argv[0], '/') &&
	    snprintf(name, sizeof(name), "scaph-%s", argv[0]) < (int)sizeof(name)) {
		path[length > 0 ? length : 0] = '\0';
		slash = strrchr(path, '/');
		if (slash) {
			strcpy(slash + 1, name);
			execv(path, argv);
		}
		execvp(name, argv);
	}
	if (is_listed(argv[0]))
		fprintf(stderr, "scaph: scaph-%s: %s; install it beside scaph\n", argv[0],
			strerror(errno));
	else
		fprintf(stderr, "scaph: %s: no such subcommand; scaph --help lists them\n",
			argv[0]);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "scaph: which subcommand? scaph --help lists them\n");
		return EXIT_FAILURE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		show_help();
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("scaph %s\n", SCAPH_VERSION);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < SUBCOMMANDS; i++) {
		if (subcommands[i].run && strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	}
	return run_program(argv + 1);
}
