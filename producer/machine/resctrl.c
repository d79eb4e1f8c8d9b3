/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resctrl.c - a walk through control groups and their monitoring groups
 */
#include "producer/machine/resctrl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct walk {
	struct scaph_resctrl_group *group;
	uint32_t count, room;
	char *why;
};

static int refuse(struct walk *walk, const char *folder, const char *what, int r)
{
	snprintf(walk->why, SCAPH_RESCTRL_WHY_BYTES, "%.180s: %s", folder, what);
	return r;
}

static int make_room(struct walk *walk)
{
	uint32_t room = walk->room ? 2 * walk->room : 16;
	struct scaph_resctrl_group *grown;

	if (walk->count < walk->room)
		return 0;
	grown = reallocarray(walk->group, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	walk->group = grown;
	walk->room = room;
	return 0;
}

/* A folder that is a group has a mon_data. 0, -ENOENT: it is none, or is gone; or another errno. */
static int add(struct walk *walk, const char *folder, bool is_control, uint32_t control)
{
	char path[SCAPH_RESCTRL_FOLDER_BYTES + 16];
	struct stat st, data;
	int r;

	snprintf(path, sizeof(path), "%s/mon_data", folder);
	if (stat(path, &data) < 0 || stat(folder, &st) < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (!S_ISDIR(data.st_mode))
		return -ENOENT;
	if (walk->count == SCAPH_RESCTRL_GROUPS_MAX)
		return refuse(walk, folder, "more groups than this version knows", -E2BIG);
	r = make_room(walk);
	if (r)
		return refuse(walk, folder, strerror(-r), r);
	walk->group[walk->count] = (struct scaph_resctrl_group){
		.inode = st.st_ino,
		.control = is_control ? walk->count : control,
	};
	snprintf(walk->group[walk->count].folder, sizeof(walk->group[0].folder), "%s", folder);
	walk->count++;
	return 0;
}

/* Name of a group below a folder, which may begin with a dot as any other; false: too long. */
static bool join(char ret_path[SCAPH_RESCTRL_FOLDER_BYTES], const char *folder, const char *leaf)
{
	return snprintf(ret_path, SCAPH_RESCTRL_FOLDER_BYTES, "%s/%s", folder, leaf) <
	       (int)SCAPH_RESCTRL_FOLDER_BYTES;
}

/* Folders that are no groups. */
static bool is_none(const char *leaf, bool are_controls)
{
	return strcmp(leaf, ".") == 0 || strcmp(leaf, "..") == 0 ||
	       (are_controls && (strcmp(leaf, "info") == 0 || strcmp(leaf, "mon_groups") == 0 ||
				 strcmp(leaf, "mon_data") == 0));
}

/* One that vanishes meanwhile is none. */
static int add_below(struct walk *walk, const char *folder, bool are_controls, uint32_t control)
{
	DIR *dir = opendir(folder);
	struct dirent *item;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : refuse(walk, folder, strerror(errno), -errno);
	while (r == 0 && (item = readdir(dir))) {
		char path[SCAPH_RESCTRL_FOLDER_BYTES];

		if (is_none(item->d_name, are_controls))
			continue;
		r = join(path, folder, item->d_name)
			    ? add(walk, path, are_controls, control)
			    : refuse(walk, folder, strerror(ENAMETOOLONG), -ENAMETOOLONG);
		r = r == -ENOENT ? 0 : r;
	}
	closedir(dir);
	return r;
}

int scaph_resctrl_list(const char *root, struct scaph_resctrl_group **ret_groups,
		       uint32_t *ret_count, char ret_why[SCAPH_RESCTRL_WHY_BYTES])
{
	struct walk walk = { .why = ret_why };
	char path[SCAPH_RESCTRL_FOLDER_BYTES];
	uint32_t controls;
	int r = -ENAMETOOLONG;

	*ret_why = '\0';
	/* Room for a name beneath it, and what is in that. */
	if (strlen(root) + NAME_MAX + 16 < sizeof(path))
		r = add(&walk, root, true, 0);
	if (r == 0)
		r = add_below(&walk, root, true, 0);
	controls = walk.count;
	for (uint32_t i = 0; i < controls && r == 0; i++) {
		if (join(path, walk.group[i].folder, "mon_groups"))
			r = add_below(&walk, path, false, i);
	}
	if (r) {
		if (!*ret_why)
			snprintf(ret_why, SCAPH_RESCTRL_WHY_BYTES, "%.120s/mon_data: %s%s", root,
				 strerror(-r),
				 r == -ENOENT ? ": no resctrl with monitoring is mounted there"
					      : "");
		free(walk.group);
		return r;
	}
	*ret_groups = walk.group;
	*ret_count = walk.count;
	return 0;
}

bool scaph_resctrl_same(const struct scaph_resctrl_group *a, const struct scaph_resctrl_group *b)
{
	return a->inode == b->inode && strcmp(a->folder, b->folder) == 0;
}
