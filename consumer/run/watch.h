/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - the process that reads records while a command runs
 *
 * It alone touches the share, which may hang it for ever; whoever runs the command waits for its answers with a deadline.
 */
#ifndef SCAPH_RUN_WATCH_H
#define SCAPH_RUN_WATCH_H

#include <stdint.h>
#include <sys/types.h>

#include "consumer/run/ledger.h"
#include "consumer/scaph.h"

#define SCAPH_WATCH_WINDOW_MAX_NS 1000000000ULL /* as long as scaphd makes them */

/* What it is told, one message each. */
struct scaph_watch_order {
	uint32_t ended; /* 0: the command begins, 1: it has ended */
	uint32_t reserved;
	uint64_t at_ns; /* CLOCK_MONOTONIC */
};

enum scaph_watch_kind {
	SCAPH_WATCH_READY = 1, /* records come: begin */
	SCAPH_WATCH_FAILED, /* none will; place and reason say why */
	SCAPH_WATCH_ACCOUNT, /* after the end */
};

/* What it says. */
struct scaph_watch_answer {
	uint32_t kind; /* enum scaph_watch_kind */
	uint32_t reserved;
	struct scaph_info info;
	struct scaph_account account;
	uint64_t lost;
	char place[512];
	char reason[512]; /* why there are no figures, or none any more; "" if there are */
};

/* The other end of a watching process. */
struct scaph_watcher {
	pid_t pid;
	int fd;
};

/* Start one. @path: as scaph_find() takes it. @wait_ns: for a share that is not there yet. 0 or a negative errno. */
int scaph_watcher_start(struct scaph_watcher *watcher, const char *path, uint64_t wait_ns);

/* Tell it; whether it hears is no matter. */
void scaph_watcher_tell(struct scaph_watcher *watcher, bool ended, uint64_t at_ns);

/* Its next answer; false: there was none until then, and there will be none. */
bool scaph_watcher_hear(struct scaph_watcher *watcher, uint64_t until_ns,
			struct scaph_watch_answer *ret_answer);

/* End it without waiting. */
void scaph_watcher_stop(struct scaph_watcher *watcher);

#endif
