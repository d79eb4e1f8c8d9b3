/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - command line of scaph run
 */
#include "consumer/run/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "consumer/command/options.h"

static void show_help(void)
{
	printf("Usage: scaph run [OPTION]... [--] COMMAND [WORD]...\n"
	       "Run a command and say what energy was used while it ran, and its share of it.\n\n"
	       "  -o, --output FILE\n        write the report there (default: standard error)\n"
	       "  --json\n        as one JSON object\n"
	       "  --path PATH\n        segment file, share folder, host folder, or PCI address of "
	       "an ivshmem device\n"
	       "        (default $SCAPH_PATH, /var/scaphandre, an ivshmem device, "
	       "/run/scaph/host)\n"
	       "  --wait SEC\n        wait this long for a share that is not there yet (default "
	       "0)\n"
	       "  --anyway\n        run the command even if there will be no figures\n"
	       "  --help\n        show this and exit\n\n"
	       "Exit status: the command's, 128 and the number of the signal that ended it, 127 if "
	       "there is no such\ncommand, 126 if it cannot be run, 125 if scaph run itself fails "
	       "and has not run it.\n");
}

int scaph_run_options_read(int argc, char **argv, struct scaph_run_options *ret_options)
{
	enum { PATH = 1000, WAIT, JSON, ANYWAY, HELP };
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "json", no_argument, NULL, JSON },
		{ "path", required_argument, NULL, PATH },
		{ "wait", required_argument, NULL, WAIT },
		{ "anyway", no_argument, NULL, ANYWAY },
		{ "help", no_argument, NULL, HELP },
		{},
	};
	struct scaph_run_options run = {};
	int choice, r = 0;

	opterr = 0;
	optind = 1;
	/* Up to the command: what follows that is its own. */
	while (r == 0 && (choice = getopt_long(argc, argv, "+:o:", options, NULL)) != -1) {
		switch (choice) {
		case 'o':
			run.output = optarg;
			break;
		case JSON:
			run.json = true;
			break;
		case PATH:
			run.path = optarg;
			break;
		case WAIT:
			r = scaph_take_seconds("--wait", optarg, 0, &run.wait_ns);
			break;
		case ANYWAY:
			run.anyway = true;
			break;
		case HELP:
			show_help();
			return SCAPH_OPTIONS_DONE;
		default:
			fprintf(stderr, "scaph: %s: %s; scaph run --help lists the options\n",
				argv[optind - 1],
				choice == ':' ? "needs a value" : "unknown option");
			r = -EINVAL;
		}
	}
	if (r == 0 && optind >= argc) {
		fprintf(stderr, "scaph: run: which command? scaph run -- COMMAND\n");
		r = -EINVAL;
	}
	if (r)
		return r;
	run.words = argv + optind;
	*ret_options = run;
	return 0;
}
