/* SPDX-License-Identifier: Apache-2.0 */
/*
 * undo.c - take away what is listed, the last first
 *
 * What has changed since is somebody's work and stays, with a note; what is gone already is no failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consumer/setup/actions.h"
#include "consumer/setup/bounded.h"
#include "consumer/setup/group.h"
#include "consumer/setup/mounts.h"
#include "consumer/setup/say.h"

#define FSTAB "/etc/fstab"
#define SAID_BYTES 256U

static int undo_file(struct scaph_actions *actions, const struct scaph_made_entry *entry)
{
	char *text;
	int r = scaph_tree_read(&actions->tree, entry->what, &text);
	bool same;

	scaph_tree_sweep(&actions->tree, entry->what);
	if (r == -ENOENT)
		return 0;
	if (r == 0) {
		same = scaph_made_sum(text) == entry->sum;
		free(text);
		if (same)
			return scaph_tree_remove(&actions->tree, entry->what);
	}
	scaph_setup_note("%s: was changed since and is left there", entry->what);
	return 0;
}

static int undo_fstab(struct scaph_actions *actions, const struct scaph_made_entry *entry)
{
	char *text, *without;
	int r = scaph_tree_read(&actions->tree, FSTAB, &text);

	scaph_tree_sweep(&actions->tree, FSTAB);
	if (r)
		return r;
	without = scaph_fstab_without(text, entry->what, entry->sum);
	r = !without			 ? -ENOMEM
	    : strcmp(text, without) == 0 ? 0
					 : scaph_tree_write(&actions->tree, FSTAB, without, 0644);
	free(text);
	free(without);
	return r;
}

static int undo_group(struct scaph_actions *actions, const char *name)
{
	char said[SAID_BYTES];
	bool members;
	gid_t gid;

	if (scaph_group_find(&actions->tree, name, &gid, &members))
		return 0;
	if (members)
		scaph_setup_note("group %s: has members by now and is left there", name);
	else if (scaph_group_remove(&actions->tree, name, said, sizeof(said)))
		scaph_setup_note("group %s: is left there: %s", name, said);
	return 0;
}

static int undo_device(const char *resource)
{
	int fd = open(resource, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int r = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fchown(fd, 0, 0) < 0 || fchmod(fd, 0600) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int undo_service(struct scaph_actions *actions, const char *unit)
{
	char said[SAID_BYTES];
	struct scaph_words words;

	if (!actions->tree.root)
		scaph_bounded_run(scaph_systemctl(&words, &actions->tree, "stop", unit), said,
				  sizeof(said));
	if (scaph_bounded_run(scaph_systemctl(&words, &actions->tree, "disable", unit), said,
			      sizeof(said)))
		scaph_setup_note("%s: cannot be disabled: %s", unit, said);
	return 0;
}

static int undo_mount(struct scaph_actions *actions, const char *dir)
{
	char type[64], source[64];

	if (actions->tree.root || !scaph_mounts_find(dir, type, source, sizeof(type)))
		return 0;
	if (strcmp(type, "virtiofs") != 0 && strcmp(type, "9p") != 0) {
		scaph_setup_note("%s: %s is mounted there by now and is left", dir, type);
		return 0;
	}
	return scaph_mounts_unmount(dir);
}

static int undo_one(struct scaph_actions *actions, const struct scaph_made_entry *entry)
{
	int r = 0;

	switch (entry->kind) {
	case SCAPH_MADE_FOLDER:
		r = scaph_tree_remove_folder(&actions->tree, entry->what);
		/* Somebody else uses it by now. */
		if (r == -ENOTEMPTY || r == -EBUSY || r == -ENOTDIR)
			r = 0;
		break;
	case SCAPH_MADE_FILE:
		r = undo_file(actions, entry);
		break;
	case SCAPH_MADE_LINK:
		r = scaph_tree_remove(&actions->tree, entry->what);
		break;
	case SCAPH_MADE_FSTAB:
		r = undo_fstab(actions, entry);
		break;
	case SCAPH_MADE_GROUP:
		r = undo_group(actions, entry->what);
		break;
	case SCAPH_MADE_DEVICE:
		r = undo_device(entry->what);
		break;
	case SCAPH_MADE_SERVICE:
		r = undo_service(actions, entry->what);
		break;
	case SCAPH_MADE_MOUNT:
		r = undo_mount(actions, entry->what);
		break;
	default:
		break;
	}
	return r == -ENOENT ? 0 : r;
}

int scaph_actions_undo(struct scaph_actions *actions, uint32_t left)
{
	while (actions->made.count > left) {
		const struct scaph_made_entry *entry =
			&actions->made.entry[actions->made.count - 1];
		int r = undo_one(actions, entry);

		if (r) {
			scaph_setup_error("%s: cannot be undone: %s; mend that and run scaph "
					  "guest-setup --undo again",
					  entry->what, strerror(-r));
			return r;
		}
		actions->done++;
		r = scaph_made_drop(&actions->made);
		if (r) {
			scaph_setup_error("%s: %s", SCAPH_MADE_PATH, strerror(-r));
			return r;
		}
	}
	return 0;
}
