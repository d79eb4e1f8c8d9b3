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
#define SPEED_LEAST 0.25 /* a second of a recording takes less than it takes to be taken for hung */
#define SPEED_MOST 1000.0

static const char places[] =
	"  --path PATH\n        segment file, share folder, host folder, or PCI address of an "
	"ivshmem device\n"
	"        (default $SCAPH_PATH, /var/scaphandre, an ivshmem device, /run/scaph/host)\n"
	"  --wait SEC\n        wait this long for a share that is not there yet (default 0)\n"
	"  -t, --timeout SEC\n        end the whole run after this time; 0, the default: never\n";

static void show_record_help(void)
{
	printf("Usage: scaph record [OPTION]... FILE\n"
	       "Record everything that a view could show, until a signal or --timeout ends it; "
	       "scaph "
	       "text --replay FILE\nand the other views play it.\n\n"
	       "%s"
	       "  --help\n        show this and exit\n\n"
	       "Exit status: 0 if a figure was recorded, else 1, and then there is no file.\n",
	       places);
}

static void show_view_help(const char *command)
{
	printf("Usage: scaph %s [OPTION]...\n"
	       "%s\n\n"
	       "  -n, --lines N\n        end after N lines (default: no end)\n"
	       "  -s, --step SEC\n        seconds between lines, 0 for every record (default 1)\n"
	       "%s"
	       "  -f, --file FILE\n        write there, in place of what it held, and not to "
	       "standard output\n"
	       "  --replay FILE\n        show a recording that scaph record made\n"
	       "  --replay-speed N|max\n        seconds of it a second, 0.25 to 1000, or as fast "
	       "as "
	       "possible (default 1)\n"
	       "  --help\n        show this and exit\n\n"
	       "Exit status: 0 if a figure was shown, else 1.\n",
	       command,
	       strcmp(command, "json") == 0 ? "Show energy and power as JSON, one object a line."
					    : "Show energy and power as text.",
	       places);
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

int scaph_take_speed(const char *text, double *ret_speed)
{
	char *end;
	double speed = strtod(text, &end);

	if (strcmp(text, "max") == 0) {
		*ret_speed = 0;
		return 0;
	}
	if (end == text || *end || !(speed >= SPEED_LEAST && speed <= SPEED_MOST)) {
		fprintf(stderr,
			"scaph: --replay-speed %s: must be a number from 0.25 to 1000, or "
			"max\n",
			text);
		return -EINVAL;
	}
	*ret_speed = speed;
	return 0;
}

/* What is left after the options: a recording's name, or nothing. */
static int take_words(int count, char **words, struct scaph_view_options *view)
{
	if (strcmp(view->command, "record") == 0) {
		view->file_is_new = true;
		view->step_ns = 0;
		if (count == 1 && words[0][0]) {
			view->file = words[0];
			return 0;
		}
		fprintf(stderr, "scaph: record: %s; scaph record FILE\n",
			count > 1 ? "one file at a time" : "to which file?");
		return -EINVAL;
	}
	if (count) {
		fprintf(stderr, "scaph: %s: unexpected word; scaph %s --help lists the options\n",
			words[0], view->command);
		return -EINVAL;
	}
	if (view->replay && (view->path || view->wait_ns)) {
		fprintf(stderr, "scaph: --replay: takes the place of --path and --wait; leave them "
				"out\n");
		return -EINVAL;
	}
	return 0;
}

int scaph_view_options_read(int argc, char **argv, struct scaph_view_options *ret_options)
{
	enum { PATH = 1000, WAIT, REPLAY, SPEED, HELP };
	static const struct option options[] = {
		{ "path", required_argument, NULL, PATH },
		{ "wait", required_argument, NULL, WAIT },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, HELP },
		{ "lines", required_argument, NULL, 'n' },
		{ "step", required_argument, NULL, 's' },
		{ "file", required_argument, NULL, 'f' },
		{ "replay", required_argument, NULL, REPLAY },
		{ "replay-speed", required_argument, NULL, SPEED },
		{},
	};
	static const struct option record_options[] = {
		{ "path", required_argument, NULL, PATH },
		{ "wait", required_argument, NULL, WAIT },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, HELP },
		{},
	};
	struct scaph_view_options view = {
		.command = argv[0],
		.step_ns = 1000000000,
		.replay_speed = 1,
	};
	bool record = strcmp(argv[0], "record") == 0;
	int choice, r = 0;

	opterr = 0;
	optind = 1;
	while (r == 0 && (choice = getopt_long(argc, argv, record ? ":t:" : ":n:s:t:f:",
					       record ? record_options : options, NULL)) != -1) {
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
		case 't':
			r = scaph_take_seconds("--timeout", optarg, 0, &view.timeout_ns);
			break;
		case 'f':
			view.file = optarg;
			break;
		case REPLAY:
			view.replay = optarg;
			break;
		case SPEED:
			r = scaph_take_speed(optarg, &view.replay_speed);
			break;
		case HELP:
			if (record)
				show_record_help();
			else
				show_view_help(argv[0]);
			return SCAPH_OPTIONS_DONE;
		default:
			fprintf(stderr, "scaph: %s: %s; scaph %s --help lists the options\n",
				argv[optind - 1],
				choice == ':' ? "needs a value" : "unknown option", argv[0]);
			r = -EINVAL;
		}
	}
	if (r == 0)
		r = take_words(argc - optind, argv + optind, &view);
	if (r == 0)
		*ret_options = view;
	return r;
}
