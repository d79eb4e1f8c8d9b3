/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_shares.c - a host's folders of shares: each a mount, with room for its segment
 *
 * A segment's space is reserved when it is made, so a full file system matters only before that.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "consumer/doctor/access.h"
#include "consumer/doctor/exam.h"
#include "proto/names.h"
#include "shm/segment.h"

/* Blocks count 512 bytes here, whatever the file system's. */
static bool has_segment(int share)
{
	struct stat st;

	return fstatat(share, SCAPH_SEGMENT_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_size > 0 && st.st_blocks * 512 >= st.st_size;
}

static bool is_mount(int share)
{
	struct statx st;

	/* A kernel that cannot tell (before 5.8) is not believed to have said no. */
	return statx(share, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &st) < 0 ||
	       !(st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) ||
	       st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static void look(struct scaph_exam *exam, int root, const char *name)
{
	int share = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const char *where = exam->options->share_root;
	char path[170], shown[700];
	struct statvfs room;

	snprintf(path, sizeof(path), "%.60s/%s", where, name);
	scaph_name_escape(path, shown, sizeof(shown));
	if (share < 0 && errno == EACCES)
		scaph_access_explain(exam, path);
	if (share < 0)
		return;
	if (!is_mount(share)) {
		scaph_exam_find(exam, SCAPH_FAULT_UNMOUNTED,
				"sudo scaph-vm repair DOMAIN; sudo systemctl enable scaph-shares "
				"mounts them at every start",
				"%s: no tmpfs is mounted there, so scaphd writes nothing to it",
				shown);
	} else if (fstatvfs(share, &room) == 0 && !has_segment(share) &&
		   (room.f_bavail == 0 || (room.f_files && room.f_ffree == 0))) {
		scaph_exam_find(exam, SCAPH_FAULT_FULL,
				"remove what is not scaph.ring from it; then sudo scaph-vm repair "
				"DOMAIN",
				"%s: no %s is left on it, and its segment is not there", shown,
				room.f_bavail == 0 ? "space" : "inode");
	}
	close(share);
}

void scaph_check_shares(struct scaph_exam *exam)
{
	DIR *dir = opendir(exam->options->share_root);
	struct dirent *entry;

	if (!dir && errno == EACCES)
		scaph_access_explain(exam, exam->options->share_root);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			look(exam, dirfd(dir), entry->d_name);
	}
	if (dir)
		closedir(dir);
}
