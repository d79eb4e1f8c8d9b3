/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.c - opening a segment for reading, and the choice of the mode
 */
#include "shm/access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/device.h"
#include "shm/mount.h"

static int open_looked_at(int path_fd)
{
	char link[32];
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/* 0: choose coherent; 1: choose snapshot; negative errno: nothing a segment can be. */
static int judge(const char *path, int path_fd, const struct stat *st, bool *ret_may_pread)
{
	struct scaph_mount mount;

	if (S_ISBLK(st->st_mode))
		return 1;
	if (!S_ISREG(st->st_mode))
		return -ENOTSUP;
	if (scaph_mount_of(path_fd, &mount) != 0)
		return 1;
	if (strcmp(mount.type, "sysfs") == 0) {
		*ret_may_pread = false;
		return scaph_device_is_ivshmem_resource(path) ? 0 : -ENOTSUP;
	}
	return scaph_mount_is_local(&mount) ? 0 : 1;
}

static int open_judged(const char *path, enum scaph_mode mode, int path_fd,
		       struct scaph_access *access)
{
	struct stat st;
	int r;

	if (fstat(path_fd, &st) < 0)
		return -errno;
	access->may_pread = true;
	r = judge(path, path_fd, &st, &access->may_pread);
	if (r < 0)
		return r;
	if (mode != SCAPH_MODE_AUTO)
		r = mode == SCAPH_MODE_SNAPSHOT;
	access->fd = open_looked_at(path_fd);
	if (access->fd < 0)
		return access->fd;
	access->dev = st.st_dev;
	access->ino = st.st_ino;
	return r ? scaph_access_snapshot_init(access) : scaph_access_coherent_init(access);
}

int scaph_access_open(const char *path, enum scaph_mode mode, struct scaph_access *ret_access)
{
	struct scaph_access access = { .fd = -1 };
	int path_fd, r;

	path_fd = open(path, O_PATH | O_CLOEXEC);
	if (path_fd < 0)
		return -errno;
	access.buffer = aligned_alloc(SCAPH_BLOCK_ALIGN, SCAPH_ACCESS_BUFFER_BYTES);
	r = access.buffer ? open_judged(path, mode, path_fd, &access) : -ENOMEM;
	close(path_fd);
	if (r < 0) {
		scaph_access_close(&access);
		return r;
	}
	*ret_access = access;
	return 0;
}

void scaph_access_close(struct scaph_access *access)
{
	if (access->guard.map)
		munmap(access->guard.map, access->guard.bytes);
	if (access->fd >= 0)
		close(access->fd);
	free(access->buffer);
	*access = (struct scaph_access){ .fd = -1 };
}

int scaph_access_to_snapshot(struct scaph_access *access)
{
	struct scaph_guard guard = access->guard;
	int r;

	if (!access->may_pread)
		return -EOPNOTSUPP;
	access->guard = (struct scaph_guard){};
	r = scaph_access_snapshot_init(access);
	if (r < 0)
		access->guard = guard;
	else if (guard.map)
		munmap(guard.map, guard.bytes);
	return r;
}

int scaph_access_pread_head(struct scaph_access *access, struct scaph_head *ret_head)
{
	ssize_t got;

	if (!access->may_pread)
		return -EOPNOTSUPP;
	got = pread(access->fd, access->buffer, SCAPH_BLOCK_ALIGN, SCAPH_HEAD_OFFSET);
	if (got < (ssize_t)sizeof(*ret_head))
		return got < 0 ? -errno : -ENODATA;
	memcpy(ret_head, access->buffer, sizeof(*ret_head));
	return 0;
}
