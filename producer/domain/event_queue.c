/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_queue.c - events in a list
 */
#include "producer/domain/event_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "producer/process/clock.h"

struct scaph_event_link {
	struct scaph_event_link *next;
	struct scaph_event event;
};

void scaph_event_queue_init(struct scaph_event_queue *queue)
{
	pthread_condattr_t attr;

	*queue = (struct scaph_event_queue){};
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	/* A step of the wall clock neither shortens nor lengthens a wait. */
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->wake, &attr);
	pthread_condattr_destroy(&attr);
}

/* Under the lock, and not empty. */
static struct scaph_event_link *unlink_first(struct scaph_event_queue *queue)
{
	struct scaph_event_link *link = queue->first;

	queue->first = link->next;
	if (!queue->first)
		queue->last = &queue->first;
	return link;
}

void scaph_event_queue_deinit(struct scaph_event_queue *queue)
{
	while (queue->first)
		free(unlink_first(queue));
	pthread_cond_destroy(&queue->wake);
	pthread_mutex_destroy(&queue->lock);
}

void scaph_event_queue_put(struct scaph_event_queue *queue, const struct scaph_event *event)
{
	struct scaph_event_link *link = calloc(1, sizeof(*link));

	pthread_mutex_lock(&queue->lock);
	if (link) {
		link->event = *event;
		*queue->last = link;
		queue->last = &link->next;
	} else {
		queue->closed = true;
	}
	pthread_cond_signal(&queue->wake);
	pthread_mutex_unlock(&queue->lock);
}

void scaph_event_queue_close(struct scaph_event_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_cond_signal(&queue->wake);
	pthread_mutex_unlock(&queue->lock);
}

void scaph_event_queue_open(struct scaph_event_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	while (queue->first)
		free(unlink_first(queue));
	queue->closed = false;
	pthread_mutex_unlock(&queue->lock);
}

void scaph_event_queue_stop(struct scaph_event_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->stopped = true;
	pthread_cond_signal(&queue->wake);
	pthread_mutex_unlock(&queue->lock);
}

bool scaph_event_queue_stopped(struct scaph_event_queue *queue)
{
	bool stopped;

	pthread_mutex_lock(&queue->lock);
	stopped = queue->stopped;
	pthread_mutex_unlock(&queue->lock);
	return stopped;
}

/* Under the lock. False: the time has come. */
static bool wait_until(struct scaph_event_queue *queue, uint64_t until_ns)
{
	struct timespec until = {
		.tv_sec = (time_t)(until_ns / SCAPH_NS_PER_S),
		.tv_nsec = (long)(until_ns % SCAPH_NS_PER_S),
	};

	if (until_ns == UINT64_MAX)
		return pthread_cond_wait(&queue->wake, &queue->lock) == 0;
	return pthread_cond_timedwait(&queue->wake, &queue->lock, &until) != ETIMEDOUT;
}

int scaph_event_queue_take(struct scaph_event_queue *queue, uint64_t until_ns,
			   struct scaph_event *ret_event)
{
	struct scaph_event_link *link = NULL;
	bool in_time = true, over;

	pthread_mutex_lock(&queue->lock);
	while (in_time && !queue->first && !queue->closed && !queue->stopped)
		in_time = wait_until(queue, until_ns);
	over = queue->closed || queue->stopped;
	if (!over && queue->first)
		link = unlink_first(queue);
	pthread_mutex_unlock(&queue->lock);
	if (!link)
		return over ? SCAPH_EVENT_QUEUE_OVER : SCAPH_EVENT_QUEUE_TIMEOUT;
	*ret_event = link->event;
	free(link);
	return 0;
}

void scaph_event_queue_sleep(struct scaph_event_queue *queue, uint64_t ns)
{
	uint64_t until_ns = scaph_clock_ns(CLOCK_MONOTONIC) + ns;
	bool in_time = true;

	pthread_mutex_lock(&queue->lock);
	while (in_time && !queue->stopped)
		in_time = wait_until(queue, until_ns);
	pthread_mutex_unlock(&queue->lock);
}
