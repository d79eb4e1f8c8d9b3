/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.h - the control socket: what root may ask of a running daemon
 *
 * A Unix socket of packets, STATE_DIR/control: one packet is a request, "VERB UUID", and is answered by one,
 * "ok" or what is wrong. It does not know what a request does: the caller's table does. Main thread only; nothing
 * here waits for a peer.
 */
#ifndef SCAPH_PRODUCER_CONTROL_H
#define SCAPH_PRODUCER_CONTROL_H

#include <stdint.h>

#include "proto/layout.h"

struct scaph_control_verb {
	const char *word;
	/* 0, or a negative errno after a line of log. */
	int (*act)(void *context, const uint8_t uuid[SCAPH_UUID_BYTES]);
};

struct scaph_control;

/**
 * scaph_control_open() - listen in the state folder, which is locked: a socket that is there is a dead daemon's
 * @state_fd: stays the caller's and outlives it
 * @verbs:    outlives it; one without a word ends the table
 *
 * Return:   0 or a negative errno, without a line.
 */
int scaph_control_open(int state_fd, const struct scaph_control_verb *verbs, void *context,
		       struct scaph_control **ret_control);

/* Readable when scaph_control_act() has something to do. */
int scaph_control_fd(const struct scaph_control *control);
void scaph_control_act(struct scaph_control *control);

/* NULL is allowed. */
void scaph_control_close(struct scaph_control *control);

#endif
