/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c - real-time threads where allowed, ordinary ones elsewhere
 */
#include "producer/process/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "producer/process/privilege.h"

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

/* What a new thread is to do; its own to free. */
struct errand {
	void *(*run)(void *argument);
	void *argument;
	unsigned int keep;
};

static void *begin(void *argument)
{
	struct errand errand = *(struct errand *)argument;

	free(argument);
	/* Whoever works for hostile guests goes without, or not at all. */
	if (scaph_privilege_drop(errand.keep))
		abort();
	return errand.run(errand.argument);
}

int scaph_thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *),
		       void *argument)
{
	return scaph_thread_start_with(ret_thread, name, run, argument, SCAPH_KEEP_NOTHING);
}

int scaph_thread_start_with(pthread_t *ret_thread, const char *name, void *(*run)(void *),
			    void *argument, unsigned int keep)
{
	struct errand *errand = malloc(sizeof(*errand));
	sigset_t all, before;
	int r;

	if (!errand)
		return -ENOMEM;
	*errand = (struct errand){ .run = run, .argument = argument, .keep = keep };
	sigfillset(&all);
	/* A fault inside a guarded mapping must reach its handler. */
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSEGV);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	r = -pthread_create(ret_thread, NULL, begin, errand);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		free(errand);
	else
		pthread_setname_np(*ret_thread, name);
	return r;
}

bool scaph_thread_pin(int cpu)
{
	cpu_set_t *set = CPU_ALLOC((size_t)cpu + 1);
	size_t bytes = CPU_ALLOC_SIZE((size_t)cpu + 1);
	bool pinned;

	if (!set)
		return false;
	CPU_ZERO_S(bytes, set);
	CPU_SET_S((size_t)cpu, bytes, set);
	pinned = sched_setaffinity(0, bytes, set) == 0;
	CPU_FREE(set);
	return pinned;
}

void scaph_thread_lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
}
