/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - what the text, json and record subcommands were asked
 */
#ifndef SCAPH_COMMAND_OPTIONS_H
#define SCAPH_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct scaph_view_options {
	const char *command; /* "text", "json" */
	const char *path; /* NULL: the usual places */
	const char *file; /* in standard output's place; NULL: none */
	bool file_is_new; /* it must not be there yet */
	const char *replay; /* a recording in the segments' place; NULL: none */
	double replay_speed; /* recorded seconds a second; 0: as fast as possible */
	uint64_t lines; /* 0: no end */
	uint64_t step_ns; /* between lines; 0: every record */
	uint64_t wait_ns; /* for a share that is not there yet */
	uint64_t timeout_ns; /* of the whole run; 0: none */
};

/* Positive result: --help was shown. */
enum {
	SCAPH_OPTIONS_DONE = 1,
};

/* A number of seconds of at least @least; 0, or -EINVAL after one line on standard error. */
int scaph_take_seconds(const char *option, const char *text, double least, uint64_t *ret_ns);

/* A --replay-speed; 0, or -EINVAL after one line on standard error. */
int scaph_take_speed(const char *text, double *ret_speed);

/* argv[0] is the subcommand. 0, SCAPH_OPTIONS_DONE, or -EINVAL after one line on standard error. */
int scaph_view_options_read(int argc, char **argv, struct scaph_view_options *ret_options);

#endif
