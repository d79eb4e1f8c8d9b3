/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h - starting a thread that should keep time
 */
#ifndef SCAPH_PRODUCER_THREAD_H
#define SCAPH_PRODUCER_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/**
 * scaph_thread_start() - start a named thread, SCHED_FIFO where that is allowed, with all signals blocked
 * @name:         at most 15 characters
 * @ret_thread:   set on 0
 * @ret_realtime: whether it runs SCHED_FIFO
 *
 * Return:   0 or a negative errno.
 */
int scaph_thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *),
		       void *argument, bool *ret_realtime);

#endif
