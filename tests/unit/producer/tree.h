/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h - a machine made of files: sysfs, proc and MSRs below one temporary folder, for the sources
 * that take their paths from options
 */
#ifndef TESTS_UNIT_PRODUCER_TREE_H
#define TESTS_UNIT_PRODUCER_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/config/config.h"
#include "producer/machine/topology.h"

struct tree {
	char root[64];
	char sysfs[80], procfs[80], msr[80];
	struct scaph_config config;
};

void tree_make(struct tree *tree);
void tree_remove(struct tree *tree);

/* A file below the root with this text, its folders made as needed. */
__attribute__((format(printf, 3, 4))) void tree_put(struct tree *tree, const char *path,
						    const char *format, ...);
void tree_drop(struct tree *tree, const char *path);

void tree_processor(struct tree *tree, const char *vendor, unsigned int family, unsigned int model);
/* die < 0: no die_id, as before Linux 5.2. */
void tree_cpu(struct tree *tree, unsigned int cpu, int package, int die);

/* What scaphd makes of it; the test fails if it refuses. */
void tree_topology(struct tree *tree, struct scaph_topology *ret_topology);

/* Catch standard error, and give it back: what was said meanwhile. */
void tree_listen(struct tree *tree);
const char *tree_heard(struct tree *tree);

/* A register of a CPU's MSR file. */
void tree_msr(struct tree *tree, unsigned int cpu, uint32_t msr, uint64_t value);

/* How many descriptors this process has open. */
int tree_descriptors(void);

/* Run a part of a test without privilege: as nobody in a child if this is root. Its result. */
int tree_as_nobody(int (*run)(struct tree *tree), struct tree *tree);

#endif
