/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts.c - mountinfo, and mount(2) in a child
 */
#include "consumer/setup/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "consumer/setup/bounded.h"

/* "\040" is a blank, and so on; in place. */
static void unescape(char *text)
{
	char *to = text;

	for (char *from = text; *from; to++) {
		if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* "36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/sda1 rw": the fifth field, and two behind the lone dash. */
static bool take_line(char *line, const char *dir, char *type, char *source, size_t size)
{
	char *behind = strstr(line, " - "), *rest = NULL, *field;

	if (!behind)
		return false;
	*behind = '\0';
	field = strtok_r(line, " ", &rest);
	for (int i = 0; field && i < 4; i++)
		field = strtok_r(NULL, " ", &rest);
	if (!field)
		return false;
	unescape(field);
	if (strcmp(field, dir) != 0)
		return false;
	field = strtok_r(behind + 3, " \n", &rest);
	snprintf(type, size, "%s", field ? field : "");
	field = strtok_r(NULL, " \n", &rest);
	snprintf(source, size, "%s", field ? field : "");
	unescape(source);
	return true;
}

bool scaph_mounts_find(const char *dir, char *ret_type, char *ret_source, size_t size)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	size_t room = 0;
	char *line = NULL;
	bool found = false;

	if (!file)
		return false;
	while (getline(&line, &room, file) > 0)
		found |= take_line(line, dir, ret_type, ret_source, size);
	free(line);
	fclose(file);
	return found;
}

static int mount_it(const void *context)
{
	const struct scaph_mounted *mounted = context;
	const char *own = strstr(scaph_mount_options(mounted->type), "trans=");

	return mount(mounted->tag, mounted->dir, mounted->type,
		     MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, own) < 0
		       ? errno
		       : 0;
}

int scaph_mounts_mount(const struct scaph_mounted *mounted)
{
	int r = scaph_bounded_call(mount_it, mounted);

	return r > 0 ? -r : r;
}

static int unmount_it(const void *context)
{
	const char *dir = context;

	if (umount2(dir, UMOUNT_NOFOLLOW) == 0)
		return 0;
	/* Whoever reads there reads on until he closes it. */
	return errno == EBUSY && umount2(dir, UMOUNT_NOFOLLOW | MNT_DETACH) == 0 ? 0 : errno;
}

int scaph_mounts_unmount(const char *dir)
{
	int r = scaph_bounded_call(unmount_it, dir);

	return r > 0 ? -r : r;
}
