/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made.h - the list of what scaph guest-setup has made, so that exactly this can be undone
 *
 * One entry a line in /var/lib/scaph/guest-setup, in the order of making, each written before the thing is made: whenever a run is
 * stopped, whatever exists is listed. The file is gone once the list is empty.
 */
#ifndef SCAPH_SETUP_MADE_H
#define SCAPH_SETUP_MADE_H

#include <stdint.h>

#include "consumer/setup/tree.h"

#define SCAPH_MADE_PATH "/var/lib/scaph/guest-setup"
#define SCAPH_MADE_MAX 64U
#define SCAPH_MADE_HOMES 3U

enum scaph_made_kind {
	SCAPH_MADE_FOLDER = 0, /* what: its path */
	SCAPH_MADE_FILE, /* its path; sum: of its text */
	SCAPH_MADE_LINK, /* its path */
	SCAPH_MADE_FSTAB, /* the folder that is mounted; sum: 1 if the last line had no end before */
	SCAPH_MADE_GROUP, /* its name */
	SCAPH_MADE_DEVICE, /* the resource2 that was given to the group */
	SCAPH_MADE_SERVICE, /* the unit that was enabled */
	SCAPH_MADE_MOUNT, /* the folder that is mounted */
	SCAPH_MADE_KINDS,
};

struct scaph_made_entry {
	enum scaph_made_kind kind;
	uint32_t sum;
	char *what;
};

struct scaph_made {
	const struct scaph_tree *tree;
	struct scaph_made_entry entry[SCAPH_MADE_MAX];
	uint32_t count;
	bool unsaved; /* --dry-run: the list is this process's only */
	bool home[SCAPH_MADE_HOMES]; /* the list's own folders that go with it */
};

/* What an earlier run has listed; nothing if there is none. 0 or a negative errno (-EINVAL: it is no such list). */
int scaph_made_load(const struct scaph_tree *tree, struct scaph_made *ret_made);
void scaph_made_clear(struct scaph_made *made);

/* The entry, or NULL. */
struct scaph_made_entry *scaph_made_find(struct scaph_made *made, enum scaph_made_kind kind,
					 const char *what);

/* List it, durably; one that is listed gets a new sum. 0 or a negative errno. */
int scaph_made_add(struct scaph_made *made, enum scaph_made_kind kind, const char *what,
		   uint32_t sum);

/* Strike the last entry, durably. */
int scaph_made_drop(struct scaph_made *made);

/* What a run leaves that was stopped between making the list's folder and the list. */
void scaph_made_tidy(struct scaph_made *made);

/* A checksum of a text. */
uint32_t scaph_made_sum(const char *text);

#endif
