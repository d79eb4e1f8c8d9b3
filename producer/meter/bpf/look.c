/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.c - plain loads from the lines of runtime.h
 */
#include "producer/meter/bpf/look.h"

#include <errno.h>
#include <stdlib.h>

#define TRIES 4000 /* some microseconds: the kernel's program takes a tenth of one */
#define PATIENCE 100000 /* for whoever is in no hurry: a hypervisor may have taken the CPU away */
#define ROUNDS 16 /* a CPU that turns faster than it is looked at */

/* A CPU as of the last sweep. */
struct scaph_look_cpu {
	uint64_t seq;
	uint64_t busy_ns;
};

/* What is known of a CPU at one even seq. */
struct state {
	uint64_t seq, start_ns, busy_ns, total_ns;
	uint32_t slot, tgid;
};

#define LOAD(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)

static bool read_state(const struct scaph_runtime_cpu *line, uint32_t tries,
		       struct state *ret_state)
{
	struct state state;

	while (tries--) {
		/* L1: after the sweep's clock was read; pairs with K1 in runtime.bpf.c. */
		state.seq = __atomic_load_n(&line->seq, __ATOMIC_ACQUIRE);
		if (state.seq & 1)
			continue;
		state.start_ns = LOAD(line->start_ns);
		state.busy_ns = LOAD(line->busy_ns);
		state.slot = LOAD(line->slot);
		state.tgid = LOAD(line->tgid);
		state.total_ns = state.slot < SCAPH_RUNTIME_SLOTS ? LOAD(line->total_ns[state.slot])
								  : 0;
		/* L2: what was read belongs to that seq; pairs with K2 in runtime.bpf.c. */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (LOAD(line->seq) != state.seq)
			continue;
		*ret_state = state;
		return true;
	}
	return false;
}

int scaph_look_init(struct scaph_look *look, const struct scaph_topology *topology,
		    const struct scaph_runtime_cpu *lines, uint32_t cpus)
{
	*look = (struct scaph_look){
		.topology = topology,
		.lines = lines,
		.cpus = cpus,
		.slots = SCAPH_RUNTIME_FIRST,
		.cpu = calloc(cpus, sizeof(*look->cpu)),
		.given_ns = calloc((size_t)cpus * SCAPH_RUNTIME_SLOTS, sizeof(*look->given_ns)),
		.sum = calloc((size_t)SCAPH_RUNTIME_SLOTS * topology->packages, sizeof(*look->sum)),
	};
	if (look->cpu && look->given_ns && look->sum)
		return 0;
	scaph_look_deinit(look);
	return -ENOMEM;
}

void scaph_look_deinit(struct scaph_look *look)
{
	free(look->cpu);
	free(look->given_ns);
	free(look->sum);
	*look = (struct scaph_look){};
}

/* Where a CPU's time goes: SCAPH_PACKAGE_NONE if its package is not known. */
static uint32_t package_of(const struct scaph_look *look, uint32_t cpu)
{
	uint32_t package = look->topology->package_of[cpu];

	/* One that was offline at the start: where there is one package it is that one's. */
	return package == SCAPH_PACKAGE_NONE && look->topology->packages == 1 ? 0 : package;
}

/* A slot on a CPU has come to this much. Less than before: it had too much then, and waits. */
static void advance(struct scaph_look *look, uint32_t cpu, uint32_t package, uint32_t slot,
		    uint64_t total_ns)
{
	uint64_t *given_ns = &look->given_ns[(size_t)cpu * SCAPH_RUNTIME_SLOTS + slot];

	if (total_ns <= *given_ns)
		return;
	look->sum[slot * look->topology->packages + package].seen_ns += total_ns - *given_ns;
	*given_ns = total_ns;
}

static void advance_all(struct scaph_look *look, uint32_t cpu, uint32_t package)
{
	const struct scaph_runtime_cpu *line = &look->lines[cpu];

	for (uint32_t slot = SCAPH_RUNTIME_FIRST; slot < look->slots; slot++)
		advance(look, cpu, package, slot, LOAD(line->total_ns[slot]));
}

/*
 * Slots whose turns ended between two numbers; what their totals are by now is theirs in any case.
 * false: the ring has gone round meanwhile.
 */
static bool advance_ended(struct scaph_look *look, uint32_t cpu, uint32_t package,
			  uint64_t from_seq, uint64_t to_seq)
{
	const struct scaph_runtime_cpu *line = &look->lines[cpu];
	uint64_t last_seq;

	if (to_seq - from_seq >= 2 * SCAPH_RUNTIME_RING)
		return false;
	for (uint64_t seq = from_seq; seq != to_seq; seq += 2) {
		uint32_t slot = LOAD(line->ring[seq / 2 % SCAPH_RUNTIME_RING]);

		if (slot >= SCAPH_RUNTIME_FIRST && slot < look->slots)
			advance(look, cpu, package, slot, LOAD(line->total_ns[slot]));
	}
	/* L2: the ring was read before; pairs with K2 in runtime.bpf.c. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	last_seq = LOAD(line->seq);
	return last_seq - from_seq < 2 * SCAPH_RUNTIME_RING;
}

/* The one that runs, and the time in which anybody did. */
static void advance_running(struct scaph_look *look, uint32_t cpu, uint32_t package,
			    const struct state *state, uint64_t now_ns)
{
	uint64_t running_ns = now_ns > state->start_ns ? now_ns - state->start_ns : 0;
	uint64_t busy_ns = state->busy_ns;

	/* Nobody seen yet, or nobody there. */
	if (!state->start_ns || state->slot == SCAPH_RUNTIME_IDLE)
		running_ns = 0;
	busy_ns += running_ns;
	if (busy_ns > look->cpu[cpu].busy_ns) {
		look->busy_ns[package] += busy_ns - look->cpu[cpu].busy_ns;
		look->cpu[cpu].busy_ns = busy_ns;
	}
	if (state->slot >= SCAPH_RUNTIME_FIRST && state->slot < look->slots)
		advance(look, cpu, package, state->slot, state->total_ns + running_ns);
}

static void visit(struct scaph_look *look, uint32_t cpu, uint32_t package, uint64_t now_ns)
{
	const struct scaph_runtime_cpu *line = &look->lines[cpu];
	struct scaph_look_cpu *last = &look->cpu[cpu];
	struct state state;

	for (int round = 0; round < ROUNDS; round++) {
		if (!read_state(line, TRIES, &state))
			return;
		if (state.seq != last->seq &&
		    !advance_ended(look, cpu, package, last->seq, state.seq))
			advance_all(look, cpu, package);
		last->seq = state.seq;
		/* Whoever left in the meantime is in the ring now. */
		if (LOAD(line->seq) == state.seq)
			break;
	}
	advance_running(look, cpu, package, &state, now_ns);
}

void scaph_look_sweep(struct scaph_look *look, uint64_t now_ns)
{
	for (uint32_t cpu = 0; cpu < look->cpus; cpu++) {
		uint32_t package = package_of(look, cpu);

		if (package != SCAPH_PACKAGE_NONE)
			visit(look, cpu, package, now_ns);
	}
}

void scaph_look_begin(struct scaph_look *look, uint32_t slot, uint64_t now_ns)
{
	uint32_t packages = look->topology->packages;

	for (uint32_t cpu = 0; cpu < look->cpus; cpu++) {
		uint64_t total_ns = LOAD(look->lines[cpu].total_ns[slot]);
		struct state state;

		if (read_state(&look->lines[cpu], PATIENCE, &state) && state.slot == slot)
			total_ns = state.total_ns +
				   (now_ns > state.start_ns ? now_ns - state.start_ns : 0);
		look->given_ns[(size_t)cpu * SCAPH_RUNTIME_SLOTS + slot] = total_ns;
	}
	for (uint32_t p = 0; p < packages; p++)
		look->sum[slot * packages + p].taken_ns = look->sum[slot * packages + p].seen_ns;
	if (look->slots <= slot)
		look->slots = slot + 1;
}

uint64_t scaph_look_unmet_ns(const struct scaph_look *look)
{
	uint64_t sum_ns = 0;

	for (uint32_t cpu = 0; cpu < look->cpus; cpu++)
		sum_ns += LOAD(look->lines[cpu].unmet_ns);
	return sum_ns;
}

bool scaph_look_runner(const struct scaph_runtime_cpu *line, struct scaph_look_runner *ret_runner)
{
	struct state state;

	if (!read_state(line, PATIENCE, &state))
		return false;
	*ret_runner = (struct scaph_look_runner){
		.seen = state.start_ns != 0,
		.slot = state.slot,
		.tgid = state.tgid,
	};
	return true;
}
