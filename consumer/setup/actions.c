/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actions.c - folders, files, links and fstab
 */
#include "consumer/setup/actions.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/setup/say.h"

#define FSTAB "/etc/fstab"

static const char *reason(int error)
{
	switch (-error) {
	case EACCES:
	case EPERM:
		return "permission denied; be root: sudo scaph guest-setup";
	case ELOOP:
		return "is a symbolic link; put the file itself there";
	case EINVAL:
		return "is no plain text file; move it away";
	default:
		return strerror(-error);
	}
}

static int refuse(const char *path, int r)
{
	scaph_setup_error("%s: %s", path, reason(r));
	return r;
}

/* Listed first; with --dry-run said instead, and then a positive result. */
static int begin(struct scaph_actions *actions, enum scaph_made_kind kind, const char *what,
		 uint32_t sum)
{
	int r;

	actions->done++;
	r = scaph_made_add(&actions->made, kind, what, sum);
	return r ? refuse(SCAPH_MADE_PATH, r) : actions->dry_run;
}

/* A text as it would be written, each line set in. */
static void show(const char *path, const char *text)
{
	printf("write %s:\n", path);
	while (*text) {
		size_t length = strcspn(text, "\n");

		printf("    %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

static int make_one(struct scaph_actions *actions, const char *path)
{
	int r;

	if (scaph_tree_has(&actions->tree, path) ||
	    (actions->dry_run && scaph_made_find(&actions->made, SCAPH_MADE_FOLDER, path)))
		return 0;
	r = begin(actions, SCAPH_MADE_FOLDER, path, 0);
	if (r > 0)
		printf("make folder %s\n", path);
	if (r)
		return r > 0 ? 0 : r;
	/* It may have been made a moment ago, for the list to lie in. */
	r = scaph_tree_make_folder(&actions->tree, path);
	return r && r != -EEXIST ? refuse(path, r) : 0;
}

int scaph_action_folder(struct scaph_actions *actions, const char *path)
{
	char part[PATH_MAX];
	int r = 0;

	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part + 1, '/'); r == 0 && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = make_one(actions, part);
		*slash = '/';
	}
	return r ? r : make_one(actions, part);
}

static int make_parent(struct scaph_actions *actions, const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	return scaph_action_folder(actions, folder);
}

int scaph_action_file(struct scaph_actions *actions, const char *path, const char *text)
{
	const struct scaph_made_entry *made =
		scaph_made_find(&actions->made, SCAPH_MADE_FILE, path);
	char *old = NULL;
	int r;

	if (!text)
		return refuse(path, -ENOMEM);
	r = scaph_tree_read(&actions->tree, path, &old);
	if (r && r != -ENOENT)
		return refuse(path, r);
	if (r == 0 && strcmp(old, text) == 0) {
		free(old);
		return 0;
	}
	if (r == 0 && !(made && made->sum == scaph_made_sum(old))) {
		scaph_setup_error("%s: is there already and is not, or no longer, as scaph "
				  "guest-setup made it; move it away, or leave it and do without",
				  path);
		free(old);
		return -EEXIST;
	}
	r = old ? scaph_actions_keep(actions, path, old) : make_parent(actions, path);
	free(old);
	if (r == 0)
		r = begin(actions, SCAPH_MADE_FILE, path, scaph_made_sum(text));
	if (r > 0)
		show(path, text);
	if (r)
		return r > 0 ? 0 : r;
	r = scaph_tree_write(&actions->tree, path, text, 0644);
	return r ? refuse(path, r) : 0;
}

int scaph_action_link(struct scaph_actions *actions, const char *path, const char *target)
{
	char old[PATH_MAX];
	int r = scaph_tree_read_link(&actions->tree, path, old, sizeof(old));

	if (r == 0 && strcmp(old, target) == 0)
		return 0;
	if (r != -ENOENT) {
		scaph_setup_error("%s: is there already, and no link to %s; move it away", path,
				  target);
		return -EEXIST;
	}
	r = make_parent(actions, path);
	if (r == 0)
		r = begin(actions, SCAPH_MADE_LINK, path, 0);
	if (r > 0)
		printf("link %s -> %s\n", path, target);
	if (r)
		return r > 0 ? 0 : r;
	r = scaph_tree_link(&actions->tree, path, target);
	return r ? refuse(path, r) : 0;
}

/* Whether the last line had no end before ours came. */
static bool is_open(struct scaph_actions *actions, const char *dir, const char *fstab)
{
	const struct scaph_made_entry *made =
		scaph_made_find(&actions->made, SCAPH_MADE_FSTAB, dir);

	if (made && scaph_fstab_find(fstab ? fstab : "", dir) == SCAPH_FSTAB_OURS)
		return made->sum;
	return fstab && *fstab && fstab[strlen(fstab) - 1] != '\n';
}

int scaph_action_fstab(struct scaph_actions *actions, const struct scaph_mounted *mounted)
{
	char *old = NULL, *text;
	int r = scaph_tree_read(&actions->tree, FSTAB, &old);

	if (r && r != -ENOENT)
		return refuse(FSTAB, r);
	text = scaph_fstab_with(old ? old : "", mounted);
	if (!text) {
		r = refuse(FSTAB, -ENOMEM);
	} else if (old && strcmp(old, text) == 0) {
		r = 0;
	} else {
		r = make_parent(actions, FSTAB);
		/* Two lines of ours are changed; new ones are listed, and undone as such. */
		if (r == 0 && scaph_fstab_find(old ? old : "", mounted->dir) == SCAPH_FSTAB_OURS)
			r = scaph_actions_keep(actions, FSTAB, old);
		if (r == 0)
			r = begin(actions, SCAPH_MADE_FSTAB, mounted->dir,
				  is_open(actions, mounted->dir, old));
		if (r > 0)
			show(FSTAB, text);
		else if (r == 0)
			r = scaph_tree_write(&actions->tree, FSTAB, text, 0644);
		if (r < 0)
			refuse(FSTAB, r);
	}
	free(old);
	free(text);
	return r > 0 ? 0 : r;
}
