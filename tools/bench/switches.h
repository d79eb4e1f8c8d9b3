/* SPDX-License-Identifier: Apache-2.0 */
/*
 * switches.h - what the meter bpf adds to a context switch, as the kernel itself counts it
 *
 * kernel.bpf_stats_enabled lets the kernel time each run of each program, which costs something too: it
 * is on only while somebody looks, and put back.
 */
#ifndef SCAPH_BENCH_SWITCHES_H
#define SCAPH_BENCH_SWITCHES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Run time and runs of a program so far. */
struct bench_switches {
	uint64_t time_ns, runs;
};

/*
 * Let the kernel count, or not, from now on; *before: whether it did. To put it back give that as @on.
 * false: this machine does not let us.
 */
bool bench_switches_count(int on, int *before);

/* Of the program at context switches that a process holds; false: there is none that has run. */
bool bench_switches_read(pid_t pid, struct bench_switches *ret_switches);

#endif
