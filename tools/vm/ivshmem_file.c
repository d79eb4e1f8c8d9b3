/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ivshmem_file.c - the file behind a shared memory device
 */
#include "tools/vm/ivshmem_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/vm/daemon_user.h"
#include "tools/vm/say.h"

#define BYTES (1 << 20) /* what definition.c gives the device */
#define MODE 0660

static void path_of(const char *dir, const char *uuid, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/scaph-%s", dir, uuid);
}

static enum scaph_ivshmem_state judge(const struct stat *st, const struct scaph_qemu_user *user)
{
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1 ||
	    (st->st_uid != geteuid() && st->st_uid != user->user))
		return SCAPH_IVSHMEM_FOREIGN;
	if (st->st_size != BYTES)
		return SCAPH_IVSHMEM_SIZE;
	if (st->st_uid != user->user || st->st_gid != user->group || (st->st_mode & 07777) != MODE)
		return SCAPH_IVSHMEM_ACCESS;
	return SCAPH_IVSHMEM_GOOD;
}

enum scaph_ivshmem_state scaph_ivshmem_file_look(const char *dir, const char *uuid,
						 const struct scaph_qemu_user *user)
{
	enum scaph_ivshmem_state state;
	char path[PATH_MAX];
	struct stat st;

	path_of(dir, uuid, path);
	if (lstat(path, &st) < 0)
		return SCAPH_IVSHMEM_ABSENT;
	state = judge(&st, user);
	if (state == SCAPH_IVSHMEM_GOOD && !scaph_daemon_user_is_in(path))
		return SCAPH_IVSHMEM_ACCESS;
	return state;
}

/* Whose it is decides before anything is done to it. @fd: its own descriptor. */
static int make_right(int fd, const char *path, const struct scaph_qemu_user *user)
{
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	switch (judge(&st, user)) {
	case SCAPH_IVSHMEM_FOREIGN:
		scaph_vm_error("%s: somebody else's, or no plain file; see whose it is and remove "
			       "it",
			       path);
		return -EEXIST;
	case SCAPH_IVSHMEM_SIZE:
		if (st.st_size > BYTES) {
			scaph_vm_error("%s: larger than the device; shut the domain down and "
				       "remove it",
				       path);
			return -EEXIST;
		}
		r = -posix_fallocate(fd, 0, BYTES);
		break;
	default:
		break;
	}
	/* The mode last: it is nobody's to open until all else is right. */
	if (r == 0 && (fchown(fd, user->user, user->group) < 0 || fchmod(fd, MODE) < 0))
		r = -errno;
	if (r == 0)
		r = scaph_daemon_user_let_in(fd);
	if (r)
		scaph_vm_error("%s: cannot be made right: %s; be root, and see that there is room",
			       path, strerror(-r));
	return r;
}

int scaph_ivshmem_file_make(const char *dir, const char *uuid, const struct scaph_qemu_user *user)
{
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, fd, r;
	char path[PATH_MAX];

	path_of(dir, uuid, path);
	/* Without O_CREAT first: in a sticky folder that is refused for a file of QEMU's user. */
	fd = open(path, flags);
	if (fd < 0 && errno == ENOENT)
		fd = open(path, flags | O_CREAT | O_EXCL, 0600);
	if (fd < 0) {
		r = -errno;
		scaph_vm_error("%s: %s; see what is there and remove it", path, strerror(-r));
		return r;
	}
	r = make_right(fd, path, user);
	close(fd);
	return r;
}

int scaph_ivshmem_file_remove(const char *dir, const char *uuid)
{
	char path[PATH_MAX];

	path_of(dir, uuid, path);
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	scaph_vm_error("%s: cannot be removed: %s", path, strerror(errno));
	return -errno;
}
