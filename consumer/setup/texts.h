/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts.h - the files that scaph guest-setup writes, as text: pure functions
 *
 * Folder and tag are as options.c lets them be. What allocates returns NULL for want of memory; the caller frees.
 */
#ifndef SCAPH_SETUP_TEXTS_H
#define SCAPH_SETUP_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scaph_mounted {
	const char *type; /* "virtiofs", "9p" */
	const char *tag;
	const char *dir;
};

/* Options for mounting a type, those of every file system and its own. */
const char *scaph_mount_options(const char *type);

/* The name of the unit that mounts a folder, as systemd-escape --path --suffix=mount has it. @size: 4 times the folder's and 16. */
void scaph_unit_name(const char *dir, char *ret_name, size_t size);

char *scaph_unit_text(const struct scaph_mounted *mounted);

/* What stands in fstab for a folder. */
enum scaph_fstab {
	SCAPH_FSTAB_NONE = 0,
	SCAPH_FSTAB_OURS, /* our two lines, unchanged or not */
	SCAPH_FSTAB_FOREIGN, /* an entry of somebody else's */
};
enum scaph_fstab scaph_fstab_find(const char *fstab, const char *dir);

/* Our two lines behind what is there, or in the place of ours; every other byte stays. */
char *scaph_fstab_with(const char *fstab, const struct scaph_mounted *mounted);

/* Without our lines for the folder. @trim: the last line before them had no end of its own before they came. */
char *scaph_fstab_without(const char *fstab, const char *dir, bool trim);

/* A rule that lets the group read resource2 of the ivshmem devices at these PCI addresses, or of all if there are none. */
char *scaph_rule_text(const char *group, char (*address)[16], uint32_t count);

#endif
