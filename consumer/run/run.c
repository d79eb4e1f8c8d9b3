/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c - scaph run: watch, run, report
 *
 * This process touches no share. The watching one is ready before the command starts, so that its first moment is covered too.
 */
#include "consumer/run/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "consumer/command/options.h"
#include "consumer/run/command.h"
#include "consumer/run/options.h"
#include "consumer/run/report.h"
#include "consumer/run/watch.h"

#define NS_PER_S 1000000000ULL
#define READY_NS (10 * NS_PER_S) /* beyond --wait: a share that says nothing for so long hangs */
#define ACCOUNT_NS (3 * NS_PER_S) /* it is some 20 ms away */

enum { FAILED = 125, CANNOT_RUN = 126, NOT_FOUND = 127 };

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static FILE *open_output(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		fprintf(stderr, "scaph: --output %s: %s; give another\n", path, strerror(errno));
	return file;
}

/* Whether figures come; if not, the reason is set. */
static bool await_ready(struct scaph_watcher *watcher, const struct scaph_run_options *options,
			struct scaph_report *report)
{
	uint64_t until_ns = now_ns() + options->wait_ns + READY_NS;
	bool heard = scaph_watcher_hear(watcher, until_ns, &report->answer);

	if (heard && report->answer.kind == SCAPH_WATCH_READY)
		return true;
	if (heard && report->answer.kind == SCAPH_WATCH_FAILED)
		snprintf(report->reason, sizeof(report->reason), "%s: %s", report->answer.place,
			 report->answer.reason);
	else
		snprintf(report->reason, sizeof(report->reason),
			 "%.500s: no answer: the share hangs; is virtiofsd running on the host?",
			 options->path ? options->path : "the usual places");
	report->answer = (struct scaph_watch_answer){};
	return false;
}

/* For an account: a record that ends after the command has to come. */
static uint64_t account_ns(const struct scaph_report *report)
{
	uint64_t window_ns = report->answer.info.window_ns;

	return ACCOUNT_NS +
	       2 * (window_ns < SCAPH_WATCH_WINDOW_MAX_NS ? window_ns : SCAPH_WATCH_WINDOW_MAX_NS);
}

static int run_it(struct scaph_command *command, struct scaph_report *report,
		  struct scaph_watcher *watcher)
{
	int error = scaph_command_start(command, report->words);

	if (error) {
		fprintf(stderr, "scaph: run: %s: %s\n", report->words[0], strerror(error));
		return error == ENOENT ? NOT_FOUND : CANNOT_RUN;
	}
	if (watcher)
		scaph_watcher_tell(watcher, false, command->begin_ns);
	report->outcome = scaph_command_await(command);
	if (!watcher)
		return 0;
	scaph_watcher_tell(watcher, true, report->outcome.end_ns);
	report->heard =
		scaph_watcher_hear(watcher, now_ns() + account_ns(report), &report->answer) &&
		report->answer.kind == SCAPH_WATCH_ACCOUNT;
	if (!report->heard)
		snprintf(report->reason, sizeof(report->reason),
			 "the share gave no answer at the end; is virtiofsd running on the host?");
	return 0;
}

static int measure(const struct scaph_run_options *options, struct scaph_command *command,
		   FILE *output)
{
	struct scaph_report report = { .words = options->words };
	struct scaph_watcher watcher;
	int r = scaph_watcher_start(&watcher, options->path, options->wait_ns);
	bool ready;

	if (r < 0) {
		fprintf(stderr, "scaph: run: cannot begin: %s\n", strerror(-r));
		return FAILED;
	}
	ready = await_ready(&watcher, options, &report);
	if (!ready && !options->anyway) {
		fprintf(stderr, "scaph: %s (the command was not run; --anyway runs it)\n",
			report.reason);
		scaph_watcher_stop(&watcher);
		return FAILED;
	}
	r = run_it(command, &report, ready ? &watcher : NULL);
	scaph_watcher_stop(&watcher);
	if (r)
		return r;
	if (options->json)
		scaph_report_json(&report, output);
	else
		scaph_report_text(&report, output);
	return report.outcome.status;
}

int scaph_run(int argc, char **argv)
{
	struct scaph_run_options options;
	struct scaph_command command;
	FILE *output = stderr;
	int status, r;

	r = scaph_run_options_read(argc, argv, &options);
	if (r)
		return r == SCAPH_OPTIONS_DONE ? EXIT_SUCCESS : FAILED;
	if (options.output)
		output = open_output(options.output);
	if (!output)
		return FAILED;
	r = scaph_command_prepare(&command);
	if (r < 0) {
		fprintf(stderr, "scaph: run: cannot begin: %s\n", strerror(-r));
		return FAILED;
	}
	status = measure(&options, &command, output);
	/* The command's status is its own, whatever becomes of the report. */
	if (output != stderr && fclose(output) != 0)
		fprintf(stderr, "scaph: --output %s: %s\n", options.output, strerror(errno));
	return status;
}
