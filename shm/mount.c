/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount.c - mount ID of a file, and its line in /proc/self/mountinfo
 *
 * Source: proc(5), "mountinfo"; statx(2), STATX_MNT_ID (Linux 5.8).
 */
#include "shm/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* "36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/sda1 rw,dax": the type follows the lone dash. */
static bool parse_line(char *line, uint64_t id, struct scaph_mount *ret_mount)
{
	char *dash, *type, *rest, *save = NULL;

	if (strtoull(line, NULL, 10) != id)
		return false;
	dash = strstr(line, " - ");
	if (!dash)
		return false;
	type = strtok_r(dash + 3, " \n", &save);
	rest = strtok_r(NULL, "\n", &save);
	if (!type)
		return false;
	snprintf(ret_mount->type, sizeof(ret_mount->type), "%s", type);
	ret_mount->dax = rest && (strstr(rest, ",dax") || strstr(rest, " dax"));
	return true;
}

int scaph_mount_of(int fd, struct scaph_mount *ret_mount)
{
	struct scaph_mount mount;
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
		if (parse_line(line, stx.stx_mnt_id, &mount))
			r = 0;
	}
	free(line);
	fclose(file);
	if (r == 0)
		*ret_mount = mount;
	return r;
}

bool scaph_mount_is_local(const struct scaph_mount *mount)
{
	static const char *const local[] = { "tmpfs",	"ramfs", "devtmpfs", "hugetlbfs", "ext2",
					     "ext3",	"ext4",	 "xfs",	     "btrfs",	  "f2fs",
					     "overlay", "zfs",	 "bcachefs" };

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		if (strcmp(mount->type, local[i]) == 0)
			return true;
	}
	/* With DAX a virtiofs mapping is host memory; if it is not after all, the cursor sees it stand still. */
	return mount->dax && strcmp(mount->type, "virtiofs") == 0;
}
