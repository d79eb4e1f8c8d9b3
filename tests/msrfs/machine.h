/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine.h - the processors that msrfs stands for: CPUs, packages, registers and their faults
 *
 * A register belongs to a package and reads the same through each of its CPUs. A counter shows the
 * energy of a given course of power in whole milliseconds, as hardware does, in integers and as a
 * function of the clock alone: whoever knows the configuration can compute it over again. With steps
 * it moves at another pace, each step as late as a hash of its number has it.
 *
 * The configuration is text, one item a line, # begins a comment; numbers as in C:
 *
 *   cpu CPU PACKAGE
 *   fixed PACKAGE REGISTER VALUE
 *   steps PERIOD_NS JITTER_NS
 *   counter PACKAGE REGISTER UNIT START watts MILLIWATTS
 *   counter PACKAGE REGISTER UNIT START square|sine LOW_MILLIWATTS HIGH_MILLIWATTS PERIOD_MS
 *
 * One count is 2^-UNIT joule. One thread.
 */
#ifndef TESTS_MSRFS_MACHINE_H
#define TESTS_MSRFS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_CPUS_MAX 256U
#define MACHINE_REGISTERS_MAX 128U

enum machine_fault {
	MACHINE_SOUND,
	MACHINE_STILL, /* stays at what it showed */
	MACHINE_ZERO, /* shows 0 and counts on */
	MACHINE_FAIL, /* EIO */
};

struct machine_register {
	uint32_t package;
	uint64_t address;
	bool counts;
	uint64_t fixed; /* if it does not count */
	uint32_t unit;
	uint32_t base; /* shown for no energy */
	uint64_t period_ms; /* of the course of power */
	uint64_t *sum_uj; /* energy of its first N ms, N = 0..period_ms */
	enum machine_fault fault;
	uint32_t held; /* while still */
};

struct machine {
	uint64_t start_ns;
	uint64_t step_ns, jitter_ns; /* of all counters; step_ns 0: whole milliseconds */
	struct {
		bool there, offline;
		uint32_t package;
	} cpu[MACHINE_CPUS_MAX];
	struct machine_register registers[MACHINE_REGISTERS_MAX];
	uint32_t count;
	uint64_t noise;
};

/* @start_ns: when energy is 0. 0, or a negative errno after one line on standard error. */
int machine_read(const char *path, uint64_t start_ns, struct machine *ret_machine);
void machine_clear(struct machine *machine);

/**
 * machine_show() - what a register reads at an instant
 * @mono_ns: CLOCK_MONOTONIC, since start_ns
 *
 * The upper half of a counter is noise, for nobody may take it for energy.
 *
 * Return:   0, -ENXIO (the CPU is offline), or -EIO (no such register, or it fails).
 */
int machine_show(struct machine *machine, uint32_t cpu, uint64_t address, uint64_t mono_ns,
		 uint64_t *ret_value);

/**
 * machine_command() - change something, from now on
 * @line: offline CPU | online CPU | set PACKAGE REGISTER VALUE |
 *        sound|still|zero|fail|reset PACKAGE REGISTER
 *
 * reset lets a counter begin anew at 0; sound after still lets it go on from where it stood.
 *
 * Return:   0, or -EINVAL.
 */
int machine_command(struct machine *machine, const char *line, uint64_t mono_ns);

#endif
