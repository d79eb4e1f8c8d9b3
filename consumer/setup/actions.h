/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actions.h - the few things that scaph guest-setup does to a system, each listed before it is done
 *
 * What is there already as it should be is left alone and not listed. With --dry-run each says what it would do.
 *
 * Each returns 0, or a negative errno after one line on standard error.
 */
#ifndef SCAPH_SETUP_ACTIONS_H
#define SCAPH_SETUP_ACTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "consumer/setup/made.h"
#include "consumer/setup/texts.h"
#include "consumer/setup/tree.h"

#define SCAPH_SETUP_GROUP "scaph"

#define SCAPH_CHANGES_MAX 4U

/* A file of ours that this run has written over, as it was before. */
struct scaph_change {
	char *path;
	char *text;
	uint32_t sum; /* its entry's, for a file; fstab's stays */
};

struct scaph_actions {
	struct scaph_tree tree;
	struct scaph_made made;
	bool dry_run;
	uint32_t done; /* how many changes there were, or would be */
	struct scaph_change change[SCAPH_CHANGES_MAX];
	uint32_t changes;
};

/* A folder, and those above it that are not there. */
int scaph_action_folder(struct scaph_actions *actions, const char *path);

/* A file with just this text. NULL for text: no memory. One that is there and none of ours is refused. */
int scaph_action_file(struct scaph_actions *actions, const char *path, const char *text);
int scaph_action_link(struct scaph_actions *actions, const char *path, const char *target);

/* Our two lines in /etc/fstab. */
int scaph_action_fstab(struct scaph_actions *actions, const struct scaph_mounted *mounted);

/* The mount itself, on a running system. */
int scaph_action_mount(struct scaph_actions *actions, const struct scaph_mounted *mounted);

/* The group. */
int scaph_action_group(struct scaph_actions *actions);

/* Its right to read a device's shared memory, until the next start. */
int scaph_action_device(struct scaph_actions *actions, const char *resource);

/* A unit of systemd at every start, and now. */
int scaph_action_service(struct scaph_actions *actions, const char *unit);

/**
 * scaph_actions_undo() - undo the last things that were listed
 * @left: until so many entries are left
 *
 * Return:   0, or a negative errno after one line: then the rest is still listed.
 */
int scaph_actions_undo(struct scaph_actions *actions, uint32_t left);

/* Before a file of ours is written over: keep what it says. 0 or a negative errno. */
int scaph_actions_keep(struct scaph_actions *actions, const char *path, const char *text);

/* Write back what this run has written over; notes say what could not be. */
void scaph_actions_restore(struct scaph_actions *actions);

/* Let go of what was kept. */
void scaph_actions_clear(struct scaph_actions *actions);

/* Words for systemctl: those given, with --root for an image. @room: of the caller's. */
struct scaph_words {
	const char *word[8];
	char root[4096 + 16];
};
const char *const *scaph_systemctl(struct scaph_words *words, const struct scaph_tree *tree,
				   const char *verb, const char *unit);

#endif
