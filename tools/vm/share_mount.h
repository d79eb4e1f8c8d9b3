/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share_mount.h - a domain's tmpfs, and the read-only view of it that its guest is given
 *
 * The view is made read-only before it is put where anybody sees it: a mount that is remounted
 * read-only later stays writable in every namespace that took a copy of it before.
 *
 * Source: mount_setattr(2), open_tree(2), move_mount(2), fsopen(2).
 */
#ifndef SCAPH_VM_SHARE_MOUNT_H
#define SCAPH_VM_SHARE_MOUNT_H

#include <stdbool.h>

enum scaph_mount_state {
	SCAPH_MOUNT_ABSENT, /* no folder, or one that nothing is mounted on */
	SCAPH_MOUNT_GOOD,
	SCAPH_MOUNT_WRONG, /* something else is mounted, or with other options */
};

enum scaph_mount_kind { SCAPH_MOUNT_SHARE, SCAPH_MOUNT_EXPORT };

/* What is mounted at ROOT/UUID. */
enum scaph_mount_state scaph_share_mount_look(const char *root, const char *uuid,
					      enum scaph_mount_kind kind);

/* Whether both are one file system. */
bool scaph_share_mount_same(const char *share_root, const char *export_root, const char *uuid);

/* Mount a tmpfs at ROOT/UUID, its folders made: 0 also if one is there; or a negative errno after one line. */
int scaph_share_mount_make(const char *root, const char *uuid);

/* Show it read-only at EXPORT_ROOT/UUID as well: 0 also if it is there, or a negative errno after one line. */
int scaph_share_mount_export(const char *share_root, const char *export_root, const char *uuid);

/**
 * scaph_share_mount_remove() - unmount ROOT/UUID and remove the folder
 * @detach: whoever has it open keeps it, out of everybody else's sight
 *
 * Return:   0 also if there is nothing; -EBUSY without a line: somebody has it open; or another negative
 *           errno after one line.
 */
int scaph_share_mount_remove(const char *root, const char *uuid, bool detach);

/* Remove every file in the share: 0, or a negative errno after one line. */
int scaph_share_mount_empty(const char *root, const char *uuid);

#endif
