/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailbox.h - what the hypervisor's thread has to say, kept until the main thread asks
 *
 * Unbounded, because what is said must not be lost and whoever says it must not wait; the main thread
 * is prompt. Any thread posts, the main thread takes.
 */
#ifndef SCAPH_PRODUCER_MAILBOX_H
#define SCAPH_PRODUCER_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "producer/domain/hypervisor.h"

enum scaph_letter_kind {
	SCAPH_LETTER_RUNNING,
	SCAPH_LETTER_STOPPED,
	SCAPH_LETTER_UNDEFINED,
	SCAPH_LETTER_REFRESH,
	SCAPH_LETTER_LISTED,
	SCAPH_LETTER_CONNECTION,
	SCAPH_LETTER_UNSEEN,
};

struct scaph_letter {
	struct scaph_letter *next;
	enum scaph_letter_kind kind;
	struct scaph_sighting sighting; /* RUNNING, UNSEEN; uuid and discovered: the three below */
	bool up; /* CONNECTION */
	char why[256];
	uint32_t running, defined; /* LISTED */
	uint8_t (*uuids)[SCAPH_UUID_BYTES];
};

struct scaph_mailbox {
	int wake_fd; /* readable: there are letters */
	pthread_mutex_t lock; /* guards what follows */
	struct scaph_letter *first, **last;
};

/* 0 or a negative errno. */
int scaph_mailbox_init(struct scaph_mailbox *mailbox);

/* With no thread posting. */
void scaph_mailbox_deinit(struct scaph_mailbox *mailbox);

/* Its address as context for scaph_hypervisor_start(). */
struct scaph_hypervisor_listener scaph_mailbox_listener(struct scaph_mailbox *mailbox);

/* The same for discovery: its letters say of what is stopped that it was discovered. */
struct scaph_hypervisor_listener scaph_mailbox_discovery_listener(struct scaph_mailbox *mailbox);

/* The oldest letter, freed with scaph_letter_free(); NULL: there is none. */
struct scaph_letter *scaph_mailbox_take(struct scaph_mailbox *mailbox);
void scaph_letter_free(struct scaph_letter *letter);

#endif
