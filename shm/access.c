/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.c - opening a segment for reading, and the choice of the mode
 *
 * The place may hold anything a hostile host or guest put there: what is no regular file or block
 * device is never opened, so that no fifo blocks us and no device is touched.
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

#define POPULATE_MAX_BYTES                                                                         \
	(4U << 20) /* 64 Ki slots: what a hostile file may make us touch at once */

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/*
 * Open the very file that was looked at; where /proc is missing, by name, and then it must be the
 * same.
 */
static int open_looked_at(const char *path, int path_fd, const struct stat *seen)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	struct stat opened;
	char link[32];
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	fd = open(link, flags);
	if (fd < 0 && errno == ENOENT)
		fd = open(path, flags);
	if (fd < 0)
		return -errno;
	/* Without O_NONBLOCK again: with it 9p cuts reads short. */
	if (fstat(fd, &opened) < 0 || opened.st_dev != seen->st_dev ||
	    opened.st_ino != seen->st_ino || (opened.st_mode ^ seen->st_mode) & S_IFMT ||
	    fcntl(fd, F_SETFL, 0) < 0) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

/* Sets may_pread. The mode that suits the file, or a negative errno: nothing a segment can be. */
static int judge(const char *path, int path_fd, const struct stat *st, struct scaph_access *access)
{
	struct scaph_mount mount;
	bool resource = scaph_device_is_ivshmem_resource(path);

	access->may_pread = true;
	if (S_ISBLK(st->st_mode))
		return SCAPH_MODE_SNAPSHOT;
	if (!S_ISREG(st->st_mode))
		return -ENOTSUP;
	/*
	 * Unknown is snapshot, which is right wherever a pread works; of a PCI resource none does.
	 */
	if (scaph_mount_of(path_fd, &mount) != 0)
		snprintf(mount.type, sizeof(mount.type), "%s", resource ? "sysfs" : "unknown");
	if (strcmp(mount.type, "sysfs") == 0) {
		access->may_pread = false;
		return resource ? SCAPH_MODE_COHERENT : -ENOTSUP;
	}
	return scaph_mount_is_local(&mount) ? SCAPH_MODE_COHERENT : SCAPH_MODE_SNAPSHOT;
}

static int open_judged(const char *path, enum scaph_mode mode, int path_fd,
		       struct scaph_access *access)
{
	struct stat st;
	int suits, r;

	if (fstat(path_fd, &st) < 0)
		return -errno;
	suits = judge(path, path_fd, &st, access);
	if (suits < 0)
		return suits;
	access->fd = open_looked_at(path, path_fd, &st);
	if (access->fd < 0)
		return access->fd;
	if (mode == SCAPH_MODE_SNAPSHOT ||
	    (mode == SCAPH_MODE_AUTO && suits == SCAPH_MODE_SNAPSHOT))
		return scaph_access_snapshot_init(access);
	r = scaph_access_coherent_init(access);
	/* ENODEV and the like: a file system that cannot map can still be read. */
	if (r < 0 && r != -ENODATA && mode == SCAPH_MODE_AUTO && access->may_pread)
		r = scaph_access_snapshot_init(access);
	return r;
}

int scaph_access_open(const char *path, enum scaph_mode mode, struct scaph_access *ret_access)
{
	struct scaph_access access = SCAPH_ACCESS_NULL;
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
	*access = SCAPH_ACCESS_NULL;
}

int scaph_access_to_snapshot(struct scaph_access *access)
{
	struct scaph_guard guard = access->guard;
	int r;

	if (!access->may_pread)
		return -EOPNOTSUPP;
	r = scaph_access_snapshot_init(access);
	if (r < 0)
		return r;
	access->guard = (struct scaph_guard){};
	if (guard.map)
		munmap(guard.map, guard.bytes);
	return 0;
}

void scaph_access_populate(struct scaph_access *access, const struct scaph_ring_place *ring)
{
	uint64_t bytes = (uint64_t)ring->count * ring->stride;

	if (!access->guard.map || bytes > POPULATE_MAX_BYTES)
		return;
	/* Rings begin at multiples of 4096, which need not be this machine's page. */
	madvise((char *)access->guard.map + ring->offset, bytes, MADV_POPULATE_READ);
}
