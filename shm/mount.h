/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount.h - the kind of mount a file lies on, which decides the reading mode
 *
 * Asked of mountinfo by mount ID, never of statfs: over 9p statfs reports the HOST's file system,
 * tmpfs.
 */
#ifndef SCAPH_SHM_MOUNT_H
#define SCAPH_SHM_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct scaph_mount {
	char type[32];
	bool dax;
};

/**
 * scaph_mount_of() - look up the mount of an open file (O_PATH will do)
 * @fd:        the file
 * @ret_mount: set only on 0
 *
 * Return:   0; -ENOENT: no such mount is listed; or another negative errno (no /proc, an old
 *           kernel).
 */
int scaph_mount_of(int fd, struct scaph_mount *ret_mount);

/**
 * scaph_mount_parse() - read one line of mountinfo
 * @line:      is changed
 * @ret_mount: set only on true
 *
 * Return:   whether it is a whole line, of mount @id.
 */
bool scaph_mount_parse(char *line, uint64_t id, struct scaph_mount *ret_mount);

/* Whether a shared mapping there is the memory that the writer stores to. Unknown types are not. */
bool scaph_mount_is_local(const struct scaph_mount *mount);

#endif
