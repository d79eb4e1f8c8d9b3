/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.c - /etc/group of a tree, and the programs that change it
 */
#include "consumer/setup/group.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/setup/bounded.h"

#define NOT_FOUND 127

/* "name:password:number:members". */
static bool take_line(char *line, const char *name, gid_t *ret_gid, bool *ret_members)
{
	char *field = strsep(&line, ":"), *end;
	unsigned long gid;

	if (strcmp(field, name) != 0 || !line || !strsep(&line, ":") || !line)
		return false;
	field = strsep(&line, ":");
	gid = strtoul(field, &end, 10);
	if (end == field || *end || gid > 0xfffffffeUL)
		return false;
	*ret_gid = (gid_t)gid;
	if (ret_members)
		*ret_members = line && *line;
	return true;
}

int scaph_group_find(const struct scaph_tree *tree, const char *name, gid_t *ret_gid,
		     bool *ret_members)
{
	char *text = NULL, *rest, *line;
	const struct group *group;
	bool found = false;

	if (scaph_tree_read(tree, "/etc/group", &text) == 0) {
		rest = text;
		while (!found && (line = strsep(&rest, "\n")))
			found = take_line(line, name, ret_gid, ret_members);
		free(text);
	}
	if (found)
		return 0;
	/* A running system may have others than its files'. */
	group = tree->root ? NULL : getgrnam(name);
	if (!group)
		return -ENOENT;
	*ret_gid = group->gr_gid;
	if (ret_members)
		*ret_members = true;
	return 0;
}

/* The first of these programs that there is; a NULL word is left out. */
static int run_first(const char *const (*choices)[8], unsigned int count, char *said, size_t size)
{
	int r = NOT_FOUND;

	for (unsigned int i = 0; r == NOT_FOUND && i < count; i++) {
		if (choices[i][0])
			r = scaph_bounded_run(choices[i], said, size);
	}
	if (r == NOT_FOUND)
		snprintf(said, size, "no program for it here (install package passwd)");
	else if (r && !*said)
		snprintf(said, size, "its program failed with status %d", r);
	return r ? -EIO : 0;
}

int scaph_group_make(const struct scaph_tree *tree, const char *name, char *ret_said, size_t size)
{
	const char *here = tree->root ? NULL : name, *image = tree->root;
	char line[80], root[4096 + 16];
	const char *const choices[][8] = {
		{ here ? "groupadd" : NULL, "--system", name },
		{ image ? "groupadd" : NULL, "--system", "--prefix", image, name },
		{ "systemd-sysusers", "--inline", root, line },
		{ here ? "addgroup" : NULL, "-S", name },
	};

	snprintf(line, sizeof(line), "g %s -", name);
	snprintf(root, sizeof(root), "--root=%s", image ? image : "/");
	return run_first(choices, 4, ret_said, size);
}

int scaph_group_remove(const struct scaph_tree *tree, const char *name, char *ret_said, size_t size)
{
	const char *here = tree->root ? NULL : name, *image = tree->root;
	const char *const choices[][8] = {
		{ here ? "groupdel" : NULL, name },
		{ image ? "groupdel" : NULL, "--prefix", image, name },
		{ here ? "delgroup" : NULL, name },
	};

	return run_first(choices, 3, ret_said, size);
}
