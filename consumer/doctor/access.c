/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.c - a file's group and mode
 *
 * Names come from /etc/group alone: scaph-static has no name service.
 */
#include "consumer/doctor/access.h"

#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/names.h"

#define SHOWN_BYTES 680

static void name_group(gid_t gid, char *ret_text, size_t size)
{
	FILE *file = fopen("/etc/group", "re");
	struct group *group = NULL;

	while (file && (group = fgetgrent(file)) && group->gr_gid != gid)
		;
	if (group)
		snprintf(ret_text, size, "%s", group->gr_name);
	else
		snprintf(ret_text, size, "%u", gid);
	if (file)
		fclose(file);
}

/* The file, or else the nearest folder above it that can be seen. */
static int stat_nearest(const char *path, char *ret_place, size_t size, struct stat *ret_st)
{
	char *slash;

	snprintf(ret_place, size, "%s", path);
	while (stat(ret_place, ret_st) < 0) {
		slash = strrchr(ret_place, '/');
		if (!slash || slash == ret_place)
			return -1;
		*slash = '\0';
	}
	return 0;
}

void scaph_access_explain(struct scaph_exam *exam, const char *path)
{
	size_t length = strlen(path), end = strlen("/resource2");
	bool device = length > end && strcmp(path + length - end, "/resource2") == 0;
	char place[PATH_MAX], shown[SHOWN_BYTES + 4], group[64] = "scaph", mend[256];
	struct stat st = {};
	mode_t needed;

	if (stat_nearest(path, place, sizeof(place), &st) == 0)
		name_group(st.st_gid, group, sizeof(group));
	needed = S_ISDIR(st.st_mode) ? S_IRGRP | S_IXGRP : S_IRGRP;
	place[SHOWN_BYTES / 4] = '\0';
	scaph_name_escape(place, shown, sizeof(shown));
	if (device && !(st.st_mode & S_IRGRP)) {
		scaph_exam_find(exam, SCAPH_FAULT_IVSHMEM_PERMISSION,
				"sudo scaph guest-setup, which lets the group scaph read it",
				"%s: permission denied: the ivshmem device is root's alone", shown);
		return;
	}
	if ((st.st_mode & needed) == needed && st.st_gid != 0)
		snprintf(mend, sizeof(mend), "sudo usermod -aG %s \"$USER\", then log in again",
			 group);
	else
		snprintf(mend, sizeof(mend), "run it as root: sudo scaph doctor");
	scaph_exam_find(exam, SCAPH_FAULT_WRONG_GROUP, mend,
			"%s: permission denied: this user is not in group %s", shown, group);
}
