/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scale.h - what the daemon costs with ten, a hundred, a thousand domains
 */
#ifndef SCAPH_BENCH_SCALE_H
#define SCAPH_BENCH_SCALE_H

#include <stdbool.h>

struct bench_scale {
	const char *scaphd; /* the program */
	const char *meter; /* --meter of it; NULL: bpf, or cputime where that cannot be had */
	unsigned int window_ms; /* 0: as it chooses */
	unsigned int seconds; /* measured, each */
	bool json;
};

/* What one number of domains costs. */
struct bench_scale_figures {
	unsigned int domains;
	const char *meter;
	unsigned int window_ms;
	double cpu_pct; /* of one core */
	double floor_pct; /* the same, of a bare loop with as many wake-ups */
	double rss_anon_mib;
	double tmpfs_mib;
	double switch_ns; /* that the meter adds to a context switch; 0: nothing, or not known */
};

/* Run it all and print; 0, or 1 after a word on standard error. Needs root, or as many open files as there are domains. */
int bench_scale_run(const struct bench_scale *scale);

#endif
