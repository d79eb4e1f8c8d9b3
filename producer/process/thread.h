/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h - threads that should keep time
 *
 * Real-time priority needs a privilege, which is gone by the time threads are started. So the main
 * thread takes the priority while it may, its threads inherit it, and then it steps back: that
 * needs no privilege.
 */
#ifndef SCAPH_PRODUCER_THREAD_H
#define SCAPH_PRODUCER_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Threads started by this one from now on run SCHED_FIFO; false: that is not allowed here. */
bool scaph_thread_enter_realtime(void);
void scaph_thread_leave_realtime(void);

/*
 * Start a thread with all signals blocked and without capabilities; @name: at most 15 characters.
 * 0 or a negative errno.
 */
int scaph_thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *),
		       void *argument);

/* The same, with what @keep says of this one's capabilities: bits of enum scaph_privilege_keep. */
int scaph_thread_start_with(pthread_t *ret_thread, const char *name, void *(*run)(void *),
			    void *argument, unsigned int keep);

/* Bind the calling thread to a CPU; false: it cannot be had. */
bool scaph_thread_pin(int cpu);

/* A mutex whose holder runs at the priority of whoever waits for it. */
void scaph_thread_lock_init(pthread_mutex_t *lock);

#endif
