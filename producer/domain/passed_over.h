/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passed_over.h - processes that are no machines, so that each need not be asked at every look
 *
 * A shell becomes a QEMU soon or never: one that was none at several looks is asked now and then only. A
 * number that is given to another process meanwhile is found a little later for that. Processes come in
 * the order of their numbers, as proc lists them; out of order they are asked again, and nothing else.
 */
#ifndef SCAPH_PRODUCER_PASSED_OVER_H
#define SCAPH_PRODUCER_PASSED_OVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct scaph_passed_over_list {
	struct scaph_passed_over_one {
		pid_t pid;
		uint32_t looks;
	} * at;
	size_t count, room;
};

struct scaph_passed_over {
	struct scaph_passed_over_list before, now;
	size_t next; /* in before */
};

/* A look begins. */
void scaph_passed_over_begin(struct scaph_passed_over *passed);

/* True: it need not be asked now; it is noted. Else it is to be asked, and noted below if it is none. */
bool scaph_passed_over_skip(struct scaph_passed_over *passed, pid_t pid);

/* The one that was asked about last is no machine. Without memory nothing is noted. */
void scaph_passed_over_note(struct scaph_passed_over *passed, pid_t pid);

void scaph_passed_over_deinit(struct scaph_passed_over *passed);

#endif
