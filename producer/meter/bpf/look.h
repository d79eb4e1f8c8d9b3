/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.h - run times by slot and package, out of what the kernel's program counts by CPU
 *
 * Each sweep visits every CPU: the slots whose turns ended since the last one, which the CPU's ring
 * names, and the one that runs now, up to the sweep's clock. What a slot was given never goes back: a
 * task whose own clock stood still (in interrupts) gets less later. A line that is being written is
 * looked at again, a few times; after that its CPU's time goes to the next sweep. The only file of the
 * daemon outside shm/ that orders its loads: its writer is in the kernel.
 *
 * Publisher thread, but for what says otherwise.
 */
#ifndef SCAPH_PRODUCER_LOOK_H
#define SCAPH_PRODUCER_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/machine/topology.h"
#include "producer/meter/bpf/runtime.h"

/* CPU time of one slot on one package. */
struct scaph_look_sum {
	uint64_t seen_ns; /* of all CPUs, ever */
	uint64_t taken_ns; /* of it handed out */
};

struct scaph_look {
	const struct scaph_topology *topology;
	const struct scaph_runtime_cpu *lines; /* one a CPU; in the kernel's memory */
	uint32_t cpus;
	uint32_t slots; /* those that have been begun, and all below */
	struct scaph_look_cpu *cpu;
	uint64_t *given_ns; /* [cpu][slot] */
	struct scaph_look_sum *sum; /* [slot][package] */
	uint64_t busy_ns[SCAPH_PACKAGES_MAX];
};

/* @lines and @topology outlive it. 0 or -ENOMEM. */
int scaph_look_init(struct scaph_look *look, const struct scaph_topology *topology,
		    const struct scaph_runtime_cpu *lines, uint32_t cpus);
void scaph_look_deinit(struct scaph_look *look);

/* Bring every sum up to @now_ns of CLOCK_MONOTONIC. No system call. */
void scaph_look_sweep(struct scaph_look *look, uint64_t now_ns);

/* What a slot has had until now, from whomever, is no longer to be taken. */
void scaph_look_begin(struct scaph_look *look, uint32_t slot, uint64_t now_ns);

/* CPU time of a slot on a package since it was last asked for, or begun. */
static inline uint64_t scaph_look_take(struct scaph_look *look, uint32_t slot, uint32_t package)
{
	struct scaph_look_sum *sum = &look->sum[slot * look->topology->packages + package];
	uint64_t ns = sum->seen_ns - sum->taken_ns;

	sum->taken_ns = sum->seen_ns;
	return ns;
}

/* Time of turns that nobody told of, on all CPUs since the program was loaded. */
uint64_t scaph_look_unmet_ns(const struct scaph_look *look);

/* Who runs on a CPU, as far as the kernel's program knows. */
struct scaph_look_runner {
	bool seen; /* false: nobody yet */
	uint32_t slot, tgid;
};

/* For any thread. false: the line was being written for so long that it was given up. */
bool scaph_look_runner(const struct scaph_runtime_cpu *line, struct scaph_look_runner *ret_runner);

#endif
