/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts.h - what is mounted, and mounting it: on this machine only
 */
#ifndef SCAPH_SETUP_MOUNTS_H
#define SCAPH_SETUP_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "consumer/setup/texts.h"

/* Whether something is mounted at a folder, and what was last. */
bool scaph_mounts_find(const char *dir, char *ret_type, char *ret_source, size_t size);

/* Mount it now; 0, -ETIMEDOUT: the share hangs, or a negative errno of mount(2). */
int scaph_mounts_mount(const struct scaph_mounted *mounted);

/* Take away what was mounted last, now, or from its last user on. */
int scaph_mounts_unmount(const char *dir);

#endif
