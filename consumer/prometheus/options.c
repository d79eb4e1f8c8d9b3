/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - command line of scaph prometheus
 */
#include "consumer/prometheus/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "consumer/command/options.h"

#define ADDRESS "127.0.0.1:8080"
#define METRICS_PATH "/metrics"
#define HEALTH_PATH "/healthz"
#define READY_PATH "/readyz"

static void show_help(void)
{
	printf("Usage: scaph prometheus [OPTION]...\n"
	       "Serve energy and power to Prometheus: in a guest its own, on a host those of every "
	       "domain.\n\n"
	       "  --web.listen-address ADDRESS:PORT\n        where to listen (default " ADDRESS
	       ", which only this machine reaches);\n"
	       "        :8080 listens on every address, [::1]:8080 on one of IPv6; may be "
	       "repeated\n"
	       "  --web.telemetry-path PATH\n        where the metrics are (default " METRICS_PATH
	       ")\n"
	       "  --path PATH\n        segment file, share folder, host folder, or PCI address of "
	       "an ivshmem device\n"
	       "        (default $SCAPH_PATH, /var/scaphandre, an ivshmem device, "
	       "/run/scaph/host)\n"
	       "  --replay FILE\n        serve a recording that scaph record made, in its place\n"
	       "  --replay-speed N\n        seconds of it a second, 0.25 to 1000 (default 1)\n"
	       "  --help\n        show this and exit\n\n"
	       "There is no password: whoever can reach the address can read the figures.\n");
}

static int refuse(const char *option, const char *value, const char *reason)
{
	fprintf(stderr, "scaph: %s %s: %s\n", option, value, reason);
	return -EINVAL;
}

static int take_address(struct scaph_exporter_options *options, const char *address)
{
	if (options->addresses == SCAPH_ADDRESSES_MAX)
		return refuse("--web.listen-address", address, "more than 16 addresses");
	options->address[options->addresses++] = address;
	return 0;
}

/* A path that no client would have to escape. */
static int take_metrics_path(struct scaph_exporter_options *options, const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "/-._~";

	if (path[0] != '/' || path[strspn(path, plain)])
		return refuse("--web.telemetry-path", path,
			      "must begin with / and hold letters, digits and -._~/ only");
	if (strcmp(path, HEALTH_PATH) == 0 || strcmp(path, READY_PATH) == 0)
		return refuse("--web.telemetry-path", path, "is taken; give another");
	options->metrics_path = path;
	return 0;
}

/* A scrape comes in its own time: there is none in which a recording is over at once. */
static int take_speed(const char *text, double *ret_speed)
{
	if (strcmp(text, "max") == 0)
		return refuse("--replay-speed", text, "is not for a server; give a number");
	return scaph_take_speed(text, ret_speed);
}

static int judge_place(const struct scaph_survey_place *place)
{
	if (place->replay && place->path)
		return refuse("--replay", place->replay,
			      "takes the place of --path; leave one of them out");
	return 0;
}

int scaph_exporter_options_read(int argc, char **argv, struct scaph_exporter_options *ret_options)
{
	enum { LISTEN = 1000, TELEMETRY, PATH, REPLAY, SPEED, HELP };
	static const struct option options[] = {
		{ "web.listen-address", required_argument, NULL, LISTEN },
		{ "web.telemetry-path", required_argument, NULL, TELEMETRY },
		{ "path", required_argument, NULL, PATH },
		{ "replay", required_argument, NULL, REPLAY },
		{ "replay-speed", required_argument, NULL, SPEED },
		{ "help", no_argument, NULL, HELP },
		{},
	};
	struct scaph_exporter_options read = {
		.metrics_path = METRICS_PATH,
		.place.replay_speed = 1,
	};
	int choice, r = 0;

	opterr = 0;
	while (r == 0 && (choice = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (choice) {
		case LISTEN:
			r = take_address(&read, optarg);
			break;
		case TELEMETRY:
			r = take_metrics_path(&read, optarg);
			break;
		case PATH:
			read.place.path = optarg;
			break;
		case REPLAY:
			read.place.replay = optarg;
			break;
		case SPEED:
			r = take_speed(optarg, &read.place.replay_speed);
			break;
		case HELP:
			show_help();
			return SCAPH_EXPORTER_OPTIONS_DONE;
		default:
			fprintf(stderr,
				"scaph: %s: %s; scaph prometheus --help lists the options\n",
				argv[optind - 1],
				choice == ':' ? "needs a value" : "unknown option");
			r = -EINVAL;
		}
	}
	if (r == 0 && optind < argc) {
		fprintf(stderr,
			"scaph: %s: unexpected word; scaph prometheus --help lists the options\n",
			argv[optind]);
		r = -EINVAL;
	}
	if (r == 0)
		r = judge_place(&read.place);
	if (r)
		return r;
	if (!read.addresses)
		read.address[read.addresses++] = ADDRESS;
	*ret_options = read;
	return 0;
}
