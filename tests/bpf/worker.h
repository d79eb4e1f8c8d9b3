/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - processes that run in known ways, and what the kernel's perf counters say they ran
 *
 * perf's task-clock is the second opinion: it counts at the same switches, in code of its own, every
 * thread of the process from its first instant.
 */
#ifndef SCAPH_TESTS_WORKER_H
#define SCAPH_TESTS_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "producer/meter/meter.h"

enum worker_kind {
	WORKER_DUTY, /* runs a_us, rests b_us */
	WORKER_THREADS, /* threads that live for a_us, b at a time */
	WORKER_SLEEPERS, /* a threads that wake every millisecond */
	WORKER_FORKS, /* a forks a second */
	WORKER_PONG, /* answers through pipes as fast as it can, with a partner of its own */
};

struct worker {
	const char *name;
	enum worker_kind kind;
	uint32_t a, b;
	int cpu; /* -1: any */
	bool fifo; /* keeps its CPU for as long as it wants */
	bool held; /* does nothing until worker_go() */

	pid_t pid;
	int go_fd;
	int perf_fd; /* -1: no perf here */
	struct scaph_reading reading;
	uint64_t cpu_ns, package_ns[SCAPH_PACKAGES_MAX]; /* sums */
};

/* It runs when this returns, unless it is held; exits the test where it cannot. */
void worker_start(struct worker *worker);
void worker_go(struct worker *worker);

/* Killed, and its PID free. */
void worker_stop(struct worker *worker);

/* CPU time as perf has it; 0 without perf. */
uint64_t worker_perf_ns(const struct worker *worker);

/* As the process's own clock has it: exact while none of its threads runs. */
uint64_t worker_clock_ns(const struct worker *worker);

#endif
