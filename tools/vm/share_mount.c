/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share_mount.c - tmpfs and read-only view of it, by descriptors
 */
#include "tools/vm/share_mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tools/vm/daemon_user.h"
#include "tools/vm/say.h"
#include "tools/vm/store.h"

/* Room for the largest rings there are, and for no more than a few files. */
#define SHARE_SIZE "1m"
#define SHARE_INODES "16"
#define SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define SEGMENT "scaph.ring"
#define LAYERS_MAX 16 /* of mounts over each other */

static int complain(const char *what, const char *root, const char *uuid, int r)
{
	scaph_vm_error("%s/%s: %s: %s; %s", root, uuid, what, strerror(-r),
		       r == -EPERM    ? "be root, outside of a container"
		       : r == -ENOSYS ? "Linux 5.12 or newer is needed"
				      : "look at findmnt and dmesg");
	return r;
}

static bool is_mounted(const char *path)
{
	struct statx at;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &at) == 0 &&
	       at.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static void path_of(const char *root, const char *uuid, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/%s", root, uuid);
}

enum scaph_mount_state scaph_share_mount_look(const char *root, const char *uuid,
					      enum scaph_mount_kind kind)
{
	unsigned long wanted = ST_NOSUID | ST_NODEV | ST_NOEXEC;
	unsigned long mask = wanted | ST_RDONLY;
	char path[PATH_MAX];
	struct statvfs options;
	struct statfs fs;

	path_of(root, uuid, path);
	if (kind == SCAPH_MOUNT_EXPORT)
		wanted |= ST_RDONLY;
	if (!is_mounted(path))
		return SCAPH_MOUNT_ABSENT;
	if (statfs(path, &fs) < 0 || statvfs(path, &options) < 0 || fs.f_type != TMPFS_MAGIC ||
	    (options.f_flag & mask) != wanted)
		return SCAPH_MOUNT_WRONG;
	return SCAPH_MOUNT_GOOD;
}

bool scaph_share_mount_same(const char *share_root, const char *export_root, const char *uuid)
{
	char share[PATH_MAX], view[PATH_MAX];
	struct stat a, b;

	path_of(share_root, uuid, share);
	path_of(export_root, uuid, view);
	return stat(share, &a) == 0 && stat(view, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* ROOT/UUID as a folder to mount on; no link is followed there. */
static int open_place(const char *root, const char *uuid)
{
	int root_fd, fd, r = scaph_store_make_path(root, 0755);

	if (r)
		return r;
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return complain("its folder cannot be opened", root, uuid, -errno);
	if (mkdirat(root_fd, uuid, 0755) < 0 && errno != EEXIST)
		r = -errno;
	fd = r ? -1 : openat(root_fd, uuid, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r == 0 && fd < 0)
		r = -errno;
	close(root_fd);
	return r ? complain("no folder to mount on", root, uuid, r) : fd;
}

static int attach(int tree, const char *root, const char *uuid)
{
	int place = open_place(root, uuid), r = 0;

	if (place < 0)
		return place;
	if (move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		r = complain("cannot be mounted", root, uuid, -errno);
	close(place);
	return r;
}

/*
 * A share is the daemon's to write to. Its files keep the folder's group, root's: in the guest the number of any other would be
 * somebody's.
 */
#define SHARE_MODE 02755
#define SHARE_MODE_TEXT "02755"

/* A tmpfs that is nowhere yet. */
static int make_tree(void)
{
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), tree = -1, r = 0;
	char user[16];

	if (fs < 0)
		return -errno;
	snprintf(user, sizeof(user), "%u", (unsigned int)scaph_daemon_user());
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", "scaph", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "size", SHARE_SIZE, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", SHARE_INODES, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", SHARE_MODE_TEXT, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "uid", user, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = -errno;
	if (r == 0) {
		tree = fsmount(fs, FSMOUNT_CLOEXEC, SAFE);
		r = tree < 0 ? -errno : 0;
	}
	close(fs);
	return r ? r : tree;
}

/* One that was made for another user's daemon, with its segment. */
static int hand_over(const char *root, const char *uuid)
{
	uid_t user = scaph_daemon_user();
	char path[PATH_MAX];
	struct stat st;
	int fd, r = 0;

	path_of(root, uuid, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	if (r == 0 && st.st_uid != user &&
	    (fchown(fd, user, 0) < 0 || fchmod(fd, SHARE_MODE) < 0 ||
	     (fchownat(fd, SEGMENT, user, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)))
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r ? complain("cannot be given to scaphd's user", root, uuid, r) : 0;
}

int scaph_share_mount_make(const char *root, const char *uuid)
{
	int tree, r;

	switch (scaph_share_mount_look(root, uuid, SCAPH_MOUNT_SHARE)) {
	case SCAPH_MOUNT_GOOD:
		return hand_over(root, uuid);
	case SCAPH_MOUNT_WRONG:
		scaph_vm_error("%s/%s: something else is mounted there; umount it", root, uuid);
		return -EBUSY;
	case SCAPH_MOUNT_ABSENT:
		break;
	}
	tree = make_tree();
	if (tree < 0)
		return complain("no tmpfs can be made", root, uuid, tree);
	r = attach(tree, root, uuid);
	close(tree);
	return r;
}

/* The same file system once more, nowhere yet, and read-only from its first moment. */
static int make_view(const char *share)
{
	struct mount_attr attributes = { .attr_set = SAFE | MOUNT_ATTR_RDONLY };
	int tree = open_tree(AT_FDCWD, share,
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	int r;

	if (tree < 0)
		return -errno;
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) == 0)
		return tree;
	r = -errno;
	close(tree);
	return r;
}

int scaph_share_mount_export(const char *share_root, const char *export_root, const char *uuid)
{
	char share[PATH_MAX];
	int tree, r;

	switch (scaph_share_mount_look(export_root, uuid, SCAPH_MOUNT_EXPORT)) {
	case SCAPH_MOUNT_GOOD:
		if (scaph_share_mount_same(share_root, export_root, uuid))
			return 0;
		/* fallthrough */
	case SCAPH_MOUNT_WRONG:
		scaph_vm_error("%s/%s: something else is mounted there; umount it", export_root,
			       uuid);
		return -EBUSY;
	case SCAPH_MOUNT_ABSENT:
		break;
	}
	path_of(share_root, uuid, share);
	tree = make_view(share);
	if (tree < 0)
		return complain("no read-only view can be made", export_root, uuid, tree);
	r = attach(tree, export_root, uuid);
	close(tree);
	return r;
}

int scaph_share_mount_remove(const char *root, const char *uuid, bool detach)
{
	char path[PATH_MAX];

	path_of(root, uuid, path);
	for (int i = 0; i < LAYERS_MAX && is_mounted(path); i++) {
		if (umount2(path, UMOUNT_NOFOLLOW | (detach ? MNT_DETACH : 0)) == 0)
			continue;
		return errno == EBUSY ? -EBUSY
				      : complain("cannot be unmounted", root, uuid, -errno);
	}
	/* Files that lay there before, under the mount, are somebody's. */
	if (rmdir(path) < 0 && errno != ENOENT && errno != ENOTEMPTY)
		return complain("its folder cannot be removed", root, uuid, -errno);
	return 0;
}

int scaph_share_mount_empty(const char *root, const char *uuid)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *folder;
	int fd, r = 0;

	path_of(root, uuid, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder)
		return complain("cannot be opened", root, uuid, -errno);
	while (r == 0 && (entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, entry->d_type == DT_DIR ? AT_REMOVEDIR : 0) < 0)
			r = complain("cannot be emptied", root, uuid, -errno);
	}
	closedir(folder);
	return r;
}
