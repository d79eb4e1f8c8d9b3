/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - what scaph run was asked
 */
#ifndef SCAPH_RUN_OPTIONS_H
#define SCAPH_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct scaph_run_options {
	char **words; /* the command, ended by NULL */
	const char *path; /* NULL: the usual places */
	const char *output; /* NULL: standard error */
	uint64_t wait_ns; /* for a share that is not there yet */
	bool json;
	bool anyway; /* run it also if there will be no figures */
};

/* argv[0] is "run". 0, SCAPH_OPTIONS_DONE, or -EINVAL after one line on standard error. */
int scaph_run_options_read(int argc, char **argv, struct scaph_run_options *ret_options);

#endif
