/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h - where a stress program plays: a folder on a tmpfs, its processes, its size, its report
 *
 * One stage a program. Everything on it goes away at the end, also when the program is told to stop.
 */
#ifndef SCAPH_STRESS_STAGE_H
#define SCAPH_STRESS_STAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL

/* Make the folder; ends the program with a word if that cannot be. Its path and its segment's. */
void stage_open(void);
void stage_close(void);
const char *stage_dir(void);
const char *stage_path(void);

/* @full at SCAPH_TEST_PERCENT=100, less below (10 unless set), at least @least. */
uint64_t stage_scaled(uint64_t full, uint64_t least);

/* Run @play in a process that does not outlive this one. */
pid_t stage_fork(void (*play)(void *context), void *context);
/* Whether the process ended by itself, with 0. */
bool stage_ended_well(pid_t pid);

/* One line of TAP; stage_verdict() prints the plan: the exit status of the program. */
void stage_check(bool holds, const char *what);
int stage_verdict(void);

/* Pseudo-random, different in every process and run; the seed is of no use in a race. */
uint64_t stage_random(uint64_t below);

static inline uint64_t stage_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static inline void stage_sleep_until(uint64_t mono_ns)
{
	struct timespec ts = { .tv_sec = (time_t)(mono_ns / NS_PER_S),
			       .tv_nsec = (long)(mono_ns % NS_PER_S) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static inline void stage_sleep(uint64_t ns)
{
	stage_sleep_until(stage_now_ns() + ns);
}

#endif
