/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - reading a share in a process of its own, so that a hung one cannot hold the command
 *
 * A process blocked on a hung share cannot even be killed. So a forked child does all I/O there and holds neither the
 * command's standard output nor its standard error; it sends what is to be printed over a pipe. The parent prints, touches no
 * share, and leaves at the deadline without waiting.
 */
#ifndef SCAPH_COMMAND_WORKER_H
#define SCAPH_COMMAND_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "consumer/command/options.h"

/* The child's end. */
struct scaph_worker {
	int pipe_fd;
};

/* Each sends one message; the child ends quietly if the parent is gone. */
void scaph_worker_print(struct scaph_worker *worker, const char *text, size_t length);
void scaph_worker_complain(struct scaph_worker *worker, const char *line);
void scaph_worker_fail(struct scaph_worker *worker); /* figures or not, all was not well */
void scaph_worker_figure(struct scaph_worker *worker); /* a figure has been shown */
void scaph_worker_alive(struct scaph_worker *worker); /* nothing to print, but not hung */

/* Signals that end a command, blocked and read from the descriptor returned; or a negative errno. SIGPIPE is ignored. */
int scaph_worker_signal_fd(void);

/* In a fork: keep @fd as descriptor 3 and nothing else of the parent's, and die with it; returns 3. */
int scaph_worker_become(int fd, pid_t parent);

/**
 * scaph_worker_run() - run @work in a child and print what it sends
 * @options: timeout; the path for messages; the file to print to
 * @work:    returns the exit status if no figure was shown
 *
 * Return:   the command's exit status: 0 if a figure was shown.
 */
int scaph_worker_run(const struct scaph_view_options *options,
		     int (*work)(struct scaph_worker *worker,
				 const struct scaph_view_options *options));

#endif
