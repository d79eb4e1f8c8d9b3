/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c - real-time threads where allowed, ordinary ones elsewhere
 */
#include "producer/thread.h"

#include <sched.h>
#include <signal.h>

static int create(pthread_t *ret_thread, bool realtime, void *(*run)(void *), void *argument)
{
	struct sched_param param = { .sched_priority = sched_get_priority_min(SCHED_FIFO) };
	pthread_attr_t attr;
	int r;

	pthread_attr_init(&attr);
	if (realtime) {
		pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
		pthread_attr_setschedparam(&attr, &param);
	}
	r = -pthread_create(ret_thread, &attr, run, argument);
	pthread_attr_destroy(&attr);
	return r;
}

int scaph_thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *),
		       void *argument, bool *ret_realtime)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	/* A fault inside a guarded mapping must reach its handler. */
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSEGV);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	r = create(ret_thread, true, run, argument);
	*ret_realtime = r == 0;
	if (r)
		r = create(ret_thread, false, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		pthread_setname_np(*ret_thread, name);
	return r;
}
