/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h - the kernel's program, loaded and attached: with meter_bpf.c the only user of libbpf
 *
 * Loading needs CAP_BPF and CAP_PERFMON; what is done to it later needs none. Main thread only.
 */
#ifndef SCAPH_PRODUCER_PROGRAM_H
#define SCAPH_PRODUCER_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "producer/meter/bpf/runtime.h"

#define SCAPH_PROGRAM_WHY_BYTES 384U

struct scaph_program;

/**
 * scaph_program_load() - load, attach, map, and let every CPU note who runs there
 * @cpus:    greatest CPU number + 1
 * @ret_why: set on failure: the cause and its mend, for the middle of a line
 *
 * Return:   0 or a negative errno.
 */
int scaph_program_load(uint32_t cpus, struct scaph_program **ret_program,
		       char ret_why[SCAPH_PROGRAM_WHY_BYTES]);

/* Detach and free; NULL is allowed. */
void scaph_program_unload(struct scaph_program *program);

/* The lines of counters, one a CPU. */
const struct scaph_runtime_cpu *scaph_program_lines(const struct scaph_program *program);

/*
 * Charge a process to a slot from its next turn on. 0; -EEXIST: a process that lives is charged to
 * another slot, and stays there unless @by_force; or another negative errno.
 */
int scaph_program_add(struct scaph_program *program, pid_t pid,
		      const struct scaph_runtime_process *process, bool by_force);

/* Charge a process to nobody from its next turn on, if it is charged to this slot. */
void scaph_program_remove(struct scaph_program *program, pid_t pid, uint32_t slot);

/* Let a CPU note who runs there, now: 0 or a negative errno; an offline one has nobody. */
int scaph_program_kick(struct scaph_program *program, uint32_t cpu);

#endif
