/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_queue.h - what happened to domains, from the thread that must not wait to the one that may
 *
 * Any thread puts, closes, stops; one thread takes and opens. Unbounded: an event that is lost would
 * leave the table of domains wrong for ever.
 */
#ifndef SCAPH_PRODUCER_EVENT_QUEUE_H
#define SCAPH_PRODUCER_EVENT_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/layout.h"

enum {
	SCAPH_EVENT_QUEUE_TIMEOUT = 1,
	SCAPH_EVENT_QUEUE_OVER, /* closed or stopped */
};

struct scaph_event {
	uint8_t uuid[SCAPH_UUID_BYTES];
	int type, detail;
};

struct scaph_event_link;

struct scaph_event_queue {
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	struct scaph_event_link *first, **last;
	bool closed, stopped;
};

void scaph_event_queue_init(struct scaph_event_queue *queue);

/* With no thread using it any more. */
void scaph_event_queue_deinit(struct scaph_event_queue *queue);

/* Without memory the queue is closed instead: its taker begins anew with a full list. */
void scaph_event_queue_put(struct scaph_event_queue *queue, const struct scaph_event *event);

/* Nothing more will come: what is in it is no longer of use. */
void scaph_event_queue_close(struct scaph_event_queue *queue);

/* Empty it and begin anew. */
void scaph_event_queue_open(struct scaph_event_queue *queue);

/* For good: nobody waits any more. */
void scaph_event_queue_stop(struct scaph_event_queue *queue);
bool scaph_event_queue_stopped(struct scaph_event_queue *queue);

/**
 * scaph_event_queue_take() - wait for the oldest event
 * @until_ns:  of CLOCK_MONOTONIC; UINT64_MAX: for ever
 * @ret_event: set only on 0
 *
 * Return:   0, SCAPH_EVENT_QUEUE_TIMEOUT, SCAPH_EVENT_QUEUE_OVER.
 */
int scaph_event_queue_take(struct scaph_event_queue *queue, uint64_t until_ns,
			   struct scaph_event *ret_event);

/* Sleep, but not into the end. */
void scaph_event_queue_sleep(struct scaph_event_queue *queue, uint64_t ns);

#endif
