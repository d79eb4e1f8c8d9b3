/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c - real-time threads where allowed, ordinary ones elsewhere
 */
#include "producer/thread.h"

#include <sched.h>
#include <signal.h>

bool scaph_thread_enter_realtime(void)
{
	struct sched_param param = { .sched_priority = sched_get_priority_min(SCHED_FIFO) };

	return sched_setscheduler(0, SCHED_FIFO, &param) == 0;
}

void scaph_thread_leave_realtime(void)
{
	struct sched_param param = {};

	sched_setscheduler(0, SCHED_OTHER, &param);
}

int scaph_thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *),
		       void *argument)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	/* A fault inside a guarded mapping must reach its handler. */
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSEGV);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	r = -pthread_create(ret_thread, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		pthread_setname_np(*ret_thread, name);
	return r;
}

void scaph_thread_lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
}
