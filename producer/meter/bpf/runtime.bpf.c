/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * runtime.bpf.c - the program in the kernel that counts run times
 *
 * At every context switch the task that leaves is charged what it ran, by its own clock, which the
 * scheduler has brought up to date a moment before; the one that comes is looked up. Runs with
 * interrupts off on the CPU it counts for. The kernel gives its clock to programs under the GPL
 * alone, so this file may be had under either licence.
 */
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "runtime.h"

#define REAL_TIME 100 /* priorities below. Source: include/linux/sched/prio.h, MAX_RT_PRIO. */

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* CPUs: set when loaded */
	__type(key, uint32_t);
	__type(value, struct scaph_runtime_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SCAPH_RUNTIME_PROCESSES);
	__type(key, uint32_t);
	__type(value, struct scaph_runtime_process);
} processes SEC(".maps");

static __always_inline struct scaph_runtime_cpu *this_cpu(void)
{
	uint32_t cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

/* Of `processes`: the daemon's to count on, behind each change of it. */
volatile uint64_t edition;

/* A PID that was used anew names another process, which was born at another time. */
static __always_inline uint32_t find_slot(const struct task_struct *task)
{
	uint32_t tgid = task->tgid;
	const struct scaph_runtime_process *process;

	if (!task->pid)
		return SCAPH_RUNTIME_IDLE;
	process = bpf_map_lookup_elem(&processes, &tgid);
	if (!process ||
	    task->group_leader->start_boottime - process->born_ns >= SCAPH_RUNTIME_BIRTH_NS)
		return SCAPH_RUNTIME_OTHERS;
	return process->slot;
}

/* The same, without looking it up where that was done since the last change: @now, or 0 for "look". */
static __always_inline uint32_t slot_of(struct scaph_runtime_cpu *cpu,
					const struct task_struct *task, uint64_t now)
{
	uint64_t born_ns = task->group_leader->start_boottime;
	uint32_t tgid = task->tgid;
	struct scaph_runtime_memo *memo = &cpu->memo[tgid % SCAPH_RUNTIME_MEMOS];

	if (!task->pid)
		return SCAPH_RUNTIME_IDLE;
	if (now && memo->edition == now && memo->tgid == tgid && memo->born_ns == born_ns)
		return memo->slot;
	memo->edition = now;
	memo->born_ns = born_ns;
	memo->tgid = tgid;
	memo->slot = find_slot(task);
	return memo->slot;
}

/*
 * What a task ran while it was on. Its own clock leaves interrupts out where the kernel accounts for
 * them; it begins with the wake-up that brought the task, inside an interrupt of the one before, or a
 * tick before it was met, so the time on the CPU is the most. Elsewhere that is all there is to know:
 * the clock differs only by that wake-up.
 */
static __always_inline uint64_t ran_ns(const struct scaph_runtime_cpu *cpu,
				       const struct task_struct *task, uint64_t wall_ns)
{
	uint64_t own_ns = task->se.sum_exec_runtime - cpu->base_ns;

	return bpf_core_type_exists(struct irqtime) && own_ns < wall_ns ? own_ns : wall_ns;
}

/*
 * Another leaves than was noted: a switch that the kernel did not tell of. It keeps what a task had
 * run when it came on, unless that is a real-time one; never more than the time since the turn before.
 * What remains is of the one noted, or of another: nobody is charged for it.
 */
static __always_inline void charge_unmet(struct scaph_runtime_cpu *cpu,
					 const struct task_struct *prev, uint64_t edition_now,
					 uint64_t wall_ns)
{
	uint64_t own_ns = prev->prio < REAL_TIME
				  ? 0
				  : prev->se.sum_exec_runtime - prev->se.prev_sum_exec_runtime;
	bool was_idle = cpu->slot == SCAPH_RUNTIME_IDLE;
	uint32_t slot = slot_of(cpu, prev, edition_now);

	if (own_ns > wall_ns)
		own_ns = wall_ns;
	cpu->slot = slot;
	/* How long there was somebody is not known. */
	if (slot == SCAPH_RUNTIME_IDLE || slot >= SCAPH_RUNTIME_SLOTS)
		return;
	cpu->busy_ns += was_idle ? own_ns : wall_ns;
	cpu->unmet_ns += wall_ns - own_ns;
	cpu->total_ns[slot] += own_ns;
}

/* What `prev` did since the turn before; whose turn it was is in cpu->slot then. */
static __always_inline void charge(struct scaph_runtime_cpu *cpu, const struct task_struct *prev,
				   uint64_t edition_now, uint64_t now_ns)
{
	uint64_t wall_ns = now_ns - cpu->start_ns;
	uint32_t slot = cpu->slot;

	if (!cpu->start_ns)
		return;
	if (cpu->pid != (uint32_t)prev->pid) {
		charge_unmet(cpu, prev, edition_now, wall_ns);
		return;
	}
	if (slot == SCAPH_RUNTIME_IDLE || slot >= SCAPH_RUNTIME_SLOTS)
		return;
	cpu->busy_ns += wall_ns;
	cpu->total_ns[slot] += ran_ns(cpu, prev, wall_ns);
}

/* From now on `next` runs here. */
static __always_inline void turn(struct scaph_runtime_cpu *cpu, const struct task_struct *prev,
				 const struct task_struct *next)
{
	uint64_t now = edition;
	/*
	 * K1: odd before the clock is read; pairs with L1 in look.c. Fully ordered, so that what is
	 * looked up below is of this edition at least; pairs with P1 in program.c.
	 */
	uint64_t seq = __sync_fetch_and_add(&cpu->seq, 1);
	uint64_t now_ns = bpf_ktime_get_ns();

	/*
	 * Changed between the two: whoever changed it may have looked at this line before K1, and has
	 * then sent no kick for what was found out before. Pairs with P2 in program.c.
	 */
	if (edition != now)
		now = 0;
	charge(cpu, prev, now, now_ns);
	cpu->ring[seq / 2 % SCAPH_RUNTIME_RING] = cpu->slot;
	cpu->slot = slot_of(cpu, next, now);
	cpu->pid = next->pid;
	cpu->tgid = next->tgid;
	cpu->base_ns = next->se.sum_exec_runtime;
	cpu->start_ns = now_ns;
	/* K2: even when all is written; pairs with L2 in look.c. Fully ordered. */
	__sync_lock_test_and_set(&cpu->seq, seq + 2);
}

/* Arguments: preempt, prev, next. */
SEC("tp_btf/sched_switch")
int on_switch(uint64_t *context)
{
	const struct task_struct *prev = (const struct task_struct *)context[1];
	const struct task_struct *next = (const struct task_struct *)context[2];
	struct scaph_runtime_cpu *cpu = this_cpu();

	if (cpu)
		turn(cpu, prev, next);
	return 0;
}

/*
 * Sent to a CPU by the daemon: look at who runs there, for it may do so for hours. A turn only where
 * something has changed: the task's own clock is late between two ticks.
 */
SEC("raw_tp")
int on_kick(void *context __attribute__((unused)))
{
	const struct task_struct *task = bpf_get_current_task_btf();
	struct scaph_runtime_cpu *cpu = this_cpu();

	if (cpu && (!cpu->start_ns || cpu->slot != find_slot(task)))
		turn(cpu, task, task);
	return 0;
}
