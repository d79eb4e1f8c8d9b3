/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - command line of the views
 */
#include "consumer/command/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 1e6

static void show_help(const char *command)
{
	printf("Usage: scaph %s [OPTION]...\n"
	       "%s\n\n"
	       "  -n, --lines N\n        end after N lines (default: no end)\n"
	       "  -s, --step SEC\n        seconds between lines, 0 for every record (default 1)\n"
	       "  --path PATH\n        segment file, share folder, host folder, or PCI address of "
	       "an ivshmem device\n"
	       "        (default $SCAPH_PATH, /var/scaphandre, an ivshmem device, "
	       "/run/scaph/host)\n"
	       "  --wait SEC\n        wait this long for a share that is not there yet (default "
	       "0)\n"
	       "  --timeout SEC\n        end the whole run after this time (default: none)\n"
	       "  --help\n        show this and exit\n\n"
	       "Exit status: 0 if a figure was shown, else 1.\n",
	       command,
	       strcmp(command, "json") == 0 ? "Show energy and power as JSON, one object a line."
					    : "Show energy and power as text.");
}

int scaph_take_seconds(const char *option, const char *text, double least, uint64_t *ret_ns)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < least || seconds > SECONDS_MAX) {
		fprintf(stderr, "scaph: %s %s: must be a number of seconds%s\n", option, text,
			least > 0 ? " above 0" : "");
		return -EINVAL;
	}
	*ret_ns = (uint64_t)llround(seconds * 1e9);
	return 0;
}

static int take_lines(const char *text, uint64_t *ret_lines)
{
	char *end;
	unsigned long long lines = strtoull(text, &end, 10);

	if (end == text || *end || *text == '-' || lines == 0) {
		fprintf(stderr, "scaph: -n %s: must be a whole number above 0\n", text);
		return -EINVAL;
	}
	*ret_lines = lines;
	return 0;
}

int scaph_view_options_read(int argc, char **argv, struct scaph_view_options *ret_options)
{
	enum { PATH = 1000, WAIT, TIMEOUT, HELP };
	static const struct option options[] = {
		{ "lines", required_argument, NULL, 'n' },
		{ "step", required_argument, NULL, 's' },
		{ "path", required_argument, NULL, PATH },
		{ "wait", required_argument, NULL, WAIT },
		{ "timeout", required_argument, NULL, TIMEOUT },
		{ "help", no_argument, NULL, HELP },
		{},
	};
	struct scaph_view_options view = { .command = argv[0], .step_ns = 1000000000 };
	int choice, r = 0;

	opterr = 0;
	optind = 1;
	while (r == 0 && (choice = getopt_long(argc, argv, ":n:s:", options, NULL)) != -1) {
		switch (choice) {
		case 'n':
			r = take_lines(optarg, &view.lines);
			break;
		case 's':
			r = scaph_take_seconds("-s", optarg, 0, &view.step_ns);
			break;
		case PATH:
			view.path = optarg;
			break;
		case WAIT:
			r = scaph_take_seconds("--wait", optarg, 0, &view.wait_ns);
			break;
		case TIMEOUT:
			r = scaph_take_seconds("--timeout", optarg, 1e-3, &view.timeout_ns);
			break;
		case HELP:
			show_help(argv[0]);
			return SCAPH_OPTIONS_DONE;
		default:
			fprintf(stderr, "scaph: %s: %s; scaph %s --help lists the options\n",
				argv[optind - 1],
				choice == ':' ? "needs a value" : "unknown option", argv[0]);
			r = -EINVAL;
		}
	}
	if (r == 0 && optind < argc) {
		fprintf(stderr, "scaph: %s: unexpected word; scaph %s --help lists the options\n",
			argv[optind], argv[0]);
		r = -EINVAL;
	}
	if (r == 0)
		*ret_options = view;
	return r;
}
