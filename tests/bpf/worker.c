/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c - children of the test
 */
#include "worker.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "producer/process/birth.h"
#include "producer/process/clock.h"

#define NS_PER_US 1000ULL

static void run_for_us(uint32_t us)
{
	uint64_t end_ns = scaph_clock_ns(CLOCK_MONOTONIC) + us * NS_PER_US;

	while (scaph_clock_ns(CLOCK_MONOTONIC) < end_ns)
		;
}

static void rest_for_us(uint32_t us)
{
	if (us)
		scaph_clock_sleep_until(scaph_clock_ns(CLOCK_MONOTONIC) + us * NS_PER_US);
}

static void *short_life(void *argument)
{
	run_for_us(*(uint32_t *)argument);
	return NULL;
}

static void run_threads(uint32_t life_us, uint32_t at_once)
{
	pthread_t threads[16];

	for (uint32_t i = 0; i < at_once; i++)
		pthread_create(&threads[i], NULL, short_life, &life_us);
	for (uint32_t i = 0; i < at_once; i++)
		pthread_join(threads[i], NULL);
}

static void *sleeper(void *argument)
{
	for (;;) {
		run_for_us(50);
		rest_for_us(1000);
	}
	return argument;
}

static void run_sleepers(uint32_t count)
{
	pthread_t thread;

	while (--count)
		pthread_create(&thread, NULL, sleeper, NULL);
	sleeper(NULL);
}

static void fork_once(uint32_t a_second)
{
	pid_t pid = fork();

	if (pid == 0) {
		run_for_us(100);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	rest_for_us(1000000 / a_second);
}

/* Two processes of one CPU that wake each other: a switch each way. */
static void run_pong(void)
{
	int there[2], back[2];
	char byte = 0;

	if (pipe(there) < 0 || pipe(back) < 0)
		_exit(1);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	while (write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1)
		;
}

static _Noreturn void work(const struct worker *worker)
{
	for (;;) {
		switch (worker->kind) {
		case WORKER_DUTY:
			run_for_us(worker->a);
			rest_for_us(worker->b);
			break;
		case WORKER_THREADS:
			run_threads(worker->a, worker->b);
			break;
		case WORKER_SLEEPERS:
			run_sleepers(worker->a);
			break;
		case WORKER_FORKS:
			fork_once(worker->a);
			break;
		case WORKER_PONG:
			run_pong();
			break;
		}
	}
}

/* Every thread that comes later is in it; other processes are not. */
static int open_perf(pid_t pid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
		.inherit = 1,
		.inherit_thread = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void settle(const struct worker *worker)
{
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(worker->cpu < 0 ? 0 : (size_t)worker->cpu, &set);
	if ((worker->cpu >= 0 && sched_setaffinity(0, sizeof(set), &set) < 0) ||
	    (worker->fifo && sched_setscheduler(0, SCHED_FIFO, &param) < 0))
		_exit(1);
}

void worker_start(struct worker *worker)
{
	int go[2];
	char byte = 0;

	if (pipe(go) < 0 || (worker->pid = fork()) < 0) {
		perror("worker");
		exit(1);
	}
	if (worker->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(go[1]);
		settle(worker);
		if (read(go[0], &byte, 1) == 1)
			work(worker);
		_exit(1);
	}
	close(go[0]);
	worker->perf_fd = open_perf(worker->pid);
	worker->reading = (struct scaph_reading){ .pid = worker->pid };
	if (scaph_birth_ticks(worker->pid, &worker->reading.birth_ticks) ||
	    clock_getcpuclockid(worker->pid, &worker->reading.cpu_clock))
		exit(1);
	worker->go_fd = go[1];
	if (!worker->held)
		worker_go(worker);
}

void worker_go(struct worker *worker)
{
	if (write(worker->go_fd, "", 1) != 1)
		exit(1);
	close(worker->go_fd);
}

void worker_stop(struct worker *worker)
{
	if (worker->pid <= 0)
		return;
	kill(worker->pid, SIGKILL);
	waitpid(worker->pid, NULL, 0);
	worker->pid = 0;
	if (worker->perf_fd >= 0)
		close(worker->perf_fd);
}

uint64_t worker_perf_ns(const struct worker *worker)
{
	uint64_t ns = 0;

	if (worker->perf_fd < 0 || read(worker->perf_fd, &ns, sizeof(ns)) != sizeof(ns))
		return 0;
	return ns;
}

uint64_t worker_clock_ns(const struct worker *worker)
{
	return scaph_clock_ns(worker->reading.cpu_clock);
}
