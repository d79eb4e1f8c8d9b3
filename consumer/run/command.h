/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - a command as time(1) runs it: its terminal, streams and signals are its own
 *
 * Whoever runs it ignores what a terminal sends to both, and hands on what is sent to himself. One at a time; one thread.
 */
#ifndef SCAPH_RUN_COMMAND_H
#define SCAPH_RUN_COMMAND_H

#include <stdint.h>

struct scaph_outcome {
	uint64_t begin_ns, end_ns; /* CLOCK_MONOTONIC */
	uint64_t cpu_ns; /* of itself and of all children that were waited for */
	int status; /* for exit() */
	int signal; /* that ended it; 0: none */
};

struct scaph_command {
	int pid;
	int signal_fd;
	uint64_t begin_ns;
};

/* Take signals in hand, before anything else is started. 0 or a negative errno. */
int scaph_command_prepare(struct scaph_command *command);

/* Start it; 0, or the errno, positive, with which it cannot be run. */
int scaph_command_start(struct scaph_command *command, char **words);

/* Until it has ended. */
struct scaph_outcome scaph_command_await(struct scaph_command *command);

#endif
