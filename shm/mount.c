/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount.c - mount ID of a file, and its line in /proc/self/mountinfo
 *
 * Source: proc(5), "mountinfo"; statx(2), STATX_MNT_ID (Linux 5.8).
 */
#include "shm/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* "dax" or "dax=always" among options separated by commas. */
static bool has_dax(char *options)
{
	char *save = NULL;

	for (char *option = strtok_r(options, ",", &save); option;
	     option = strtok_r(NULL, ",", &save)) {
		if (strcmp(option, "dax") == 0 || strncmp(option, "dax=", 4) == 0)
			return strcmp(option, "dax=never") != 0;
	}
	return false;
}

bool scaph_mount_parse(char *line, uint64_t id, struct scaph_mount *ret_mount)
{
	char *dash, *type, *source, *options, *end, *save = NULL;

	if (strtoull(line, &end, 10) != id || *end != ' ')
		return false;
	/* "36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/sda1 rw,dax": behind the lone dash. */
	dash = strstr(line, " - ");
	if (!dash)
		return false;
	type = strtok_r(dash + 3, " \n", &save);
	source = strtok_r(NULL, " \n", &save);
	options = strtok_r(NULL, " \n", &save);
	if (!type || !source)
		return false;
	snprintf(ret_mount->type, sizeof(ret_mount->type), "%s", type);
	ret_mount->dax = options && has_dax(options);
	return true;
}

int scaph_mount_of(int fd, struct scaph_mount *ret_mount)
{
	struct statx stx;
	char *line = NULL;
	size_t size = 0;
	int r = -ENOENT;
	FILE *file;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return -errno;
	if (!(stx.stx_mask & STATX_MNT_ID))
		return -EOPNOTSUPP;
	file = fopen("/proc/self/mountinfo", "re");
	if (!file)
		return -errno;
	while (r && getline(&line, &size, file) > 0) {
		if (scaph_mount_parse(line, stx.stx_mnt_id, ret_mount))
			r = 0;
	}
	free(line);
	fclose(file);
	return r;
}

bool scaph_mount_is_local(const struct scaph_mount *mount)
{
	static const char *const local[] = {
		"tmpfs", "ramfs", "devtmpfs", "hugetlbfs", "ext2",    "ext3",	  "ext4",
		"xfs",	 "btrfs", "f2fs",     "zfs",	   "overlay", "bcachefs",
	};

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		if (strcmp(mount->type, local[i]) == 0)
			return true;
	}
	/*
	 * With DAX a virtiofs mapping is host memory; if not after all, the cursor sees it stand
	 * still.
	 */
	return mount->dax && strcmp(mount->type, "virtiofs") == 0;
}
