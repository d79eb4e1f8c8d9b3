/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.h - a system group: found, made, removed
 */
#ifndef SCAPH_SETUP_GROUP_H
#define SCAPH_SETUP_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "consumer/setup/tree.h"

/**
 * scaph_group_find() - a group of a system
 * @ret_members: whether it has any; NULL: nobody asks
 *
 * Return:   0, or -ENOENT.
 */
int scaph_group_find(const struct scaph_tree *tree, const char *name, gid_t *ret_gid,
		     bool *ret_members);

/* 0, or a negative errno; @ret_said: why, in words, set when it failed. */
int scaph_group_make(const struct scaph_tree *tree, const char *name, char *ret_said, size_t size);
int scaph_group_remove(const struct scaph_tree *tree, const char *name, char *ret_said,
		       size_t size);

#endif
