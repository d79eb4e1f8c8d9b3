/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.h - what the kernel's program and the daemon share: run times by CPU and slot
 *
 * A slot stands for a domain; every process that works for it is in `processes` under the slot's
 * number. Each CPU has a line of counters of its own, written by the program on that CPU alone, with
 * interrupts off: no lock, no line that two CPUs write. The daemon maps the lines and reads them with
 * plain loads; packages are its affair.
 *
 * seq is made odd by a locked operation before the clock is read, and even by another when all is
 * written. So if a reader that has looked at the clock finds an even seq, every later turn of that CPU
 * begins after the reader's clock, and what is running is known up to that clock.
 *
 * total_ns of a slot never decreases. It has what its tasks ran until they left the CPU, by the
 * task's own clock, which stands still in interrupts and while a hypervisor has taken the CPU away
 * (where the kernel accounts for these). What the running task has run since start_ns comes on top.
 *
 * A kernel may keep switches to itself (seen: those away from some threads of PID 1, in a virtual
 * machine). Whoever leaves next is charged what the kernel noted of it; the rest is in unmet_ns.
 */
#ifndef SCAPH_PRODUCER_RUNTIME_H
#define SCAPH_PRODUCER_RUNTIME_H

#include <stdint.h>

#define SCAPH_RUNTIME_SLOTS 4352U /* every domain that can be, and room for slots to rest in */
#define SCAPH_RUNTIME_RING 256U
#define SCAPH_RUNTIME_MEMOS 16U
#define SCAPH_RUNTIME_PROCESSES 16384U
#define SCAPH_RUNTIME_BIRTH_NS 10000000U /* the unit in which /proc tells when a process began */

enum scaph_runtime_slot {
	SCAPH_RUNTIME_OTHERS, /* tasks of no domain */
	SCAPH_RUNTIME_IDLE, /* nobody: never counted */
	SCAPH_RUNTIME_FIRST, /* of a domain */
};

/* A process of a domain, by its PID in the initial namespace. */
struct scaph_runtime_process {
	uint64_t born_ns; /* since boot, rounded down to SCAPH_RUNTIME_BIRTH_NS: no other of its PID */
	uint32_t slot;
	uint32_t reserved;
};

/*
 * What a CPU found out last about processes: most turns are between the same few. It holds while the
 * edition of `processes` is the same and the process of that PID was born at the same nanosecond.
 */
struct scaph_runtime_memo {
	uint64_t edition; /* never 0 */
	uint64_t born_ns;
	uint32_t tgid, slot;
};

struct scaph_runtime_cpu {
	uint64_t seq; /* odd: being written; half of it counts the turns */
	uint64_t start_ns; /* CLOCK_MONOTONIC, since when `pid` runs; 0: not known yet */
	uint64_t base_ns; /* its own clock then */
	uint64_t busy_ns; /* time in which any task but the idle one was on, interrupts included */
	uint32_t slot; /* of the running task */
	uint32_t tgid, pid; /* of the running task; 0: idle */
	uint32_t reserved;
	uint64_t unmet_ns; /* of turns that nobody told of: whose it was is not known */
	uint64_t reserved2;
	struct scaph_runtime_memo memo[SCAPH_RUNTIME_MEMOS]; /* by PID; the program's own */
	uint16_t ring[SCAPH_RUNTIME_RING]; /* slot that turn n ended, at n % SCAPH_RUNTIME_RING */
	uint64_t total_ns[SCAPH_RUNTIME_SLOTS];
};

_Static_assert(sizeof(struct scaph_runtime_cpu) % 64 == 0, "two CPUs must not share a line");

#endif
