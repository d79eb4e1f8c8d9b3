/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resctrl.h - groups of the kernel's resctrl file system: only ever read, never made or changed
 *
 * The root is a control group; every other folder of the root with a mon_data is one too. Each has
 * monitoring groups of its own below mon_groups. What a control group's mon_data says contains its
 * monitoring groups, so all control groups together are all there is.
 *
 * Source: Documentation/filesystems/resctrl.rst.
 */
#ifndef SCAPH_PRODUCER_RESCTRL_H
#define SCAPH_PRODUCER_RESCTRL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SCAPH_RESCTRL_FOLDER_BYTES 768U
#define SCAPH_RESCTRL_GROUPS_MAX 4096U
#define SCAPH_RESCTRL_WHY_BYTES 256U

struct scaph_resctrl_group {
	char folder[SCAPH_RESCTRL_FOLDER_BYTES];
	ino_t inode; /* one that was made anew under its name has another */
	uint32_t control; /* number of the control group it is of; a control group's is its own */
};

/**
 * scaph_resctrl_list() - every group there is; the root is the first, a control group comes before its own
 * @root:       where resctrl is mounted
 * @ret_groups: to be freed, set on 0
 * @ret_why:    set on failure: one clause
 *
 * Return:   0 or a negative errno.
 */
int scaph_resctrl_list(const char *root, struct scaph_resctrl_group **ret_groups,
		       uint32_t *ret_count, char ret_why[SCAPH_RESCTRL_WHY_BYTES]);

/* Whether two groups are the same one. */
bool scaph_resctrl_same(const struct scaph_resctrl_group *a, const struct scaph_resctrl_group *b);

#endif
