/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placement.h - on which packages a process runs, for meters that only know how much it runs
 *
 * Looked at from time to time: each thread's new CPU time counts for the package it last ran on. Time
 * between two looks is divided in the proportion of the last one. An inference, so records are
 * flagged coarse.
 */
#ifndef SCAPH_PRODUCER_PLACEMENT_H
#define SCAPH_PRODUCER_PLACEMENT_H

#include <stdint.h>
#include <sys/types.h>

#include "producer/machine/topology.h"

#define SCAPH_PLACEMENT_THREADS 64U /* the first of a process; the others go with them */

struct scaph_placement {
	uint64_t looked_ns; /* CLOCK_MONOTONIC; 0: never */
	uint64_t weight[SCAPH_PACKAGES_MAX]; /* zero all: not known yet */
	uint32_t threads;
	struct {
		pid_t tid;
		uint64_t ticks; /* as of the last look */
	} thread[SCAPH_PLACEMENT_THREADS];
};

/**
 * scaph_placement_look() - look where the threads of a process ran since the last look
 *
 * Context:  publisher thread, about once a second a process; opens files of /proc.
 */
void scaph_placement_look(struct scaph_placement *placement, const struct scaph_topology *topology,
			  const char *procfs, pid_t pid, uint64_t now_ns);

/* Divide a CPU time by the weights; the parts sum up to it. Not known yet: all to the first. */
void scaph_placement_divide(const struct scaph_placement *placement, uint32_t packages,
			    uint64_t cpu_ns, uint64_t ret_package_ns[SCAPH_PACKAGES_MAX]);

#endif
