/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel.h - the few names of the kernel that runtime.bpf.c needs
 *
 * Only the fields that are used: where they really lie is found when the program is loaded, from the
 * running kernel's own description (BTF). So no header of one kernel is needed to build.
 */
#ifndef SCAPH_PRODUCER_KERNEL_H
#define SCAPH_PRODUCER_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* As libbpf's headers name them. */
#define __u8 uint8_t
#define __u16 uint16_t
#define __u32 uint32_t
#define __u64 uint64_t
#define __s32 int32_t
#define __s64 int64_t
#define __be16 uint16_t
#define __be32 uint32_t
#define __wsum uint32_t

/* Source: include/uapi/linux/bpf.h. */
enum bpf_map_type { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_ARRAY = 2 };
enum { BPF_F_MMAPABLE = 1 << 10 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sched_entity {
	uint64_t sum_exec_runtime;
	uint64_t prev_sum_exec_runtime; /* as it was when a task that is not real-time came on */
};

struct task_struct {
	int pid, tgid, prio;
	struct task_struct *group_leader;
	uint64_t start_boottime;
	struct sched_entity se;
};

/* There if the kernel was built to account for interrupts. */
struct irqtime {
	uint64_t total;
};

#pragma clang attribute pop

#endif
