/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.c - opening the writer's side of a segment file in a folder that a hostile guest may own
 *
 * First looked at through O_PATH, which opens nothing: a fifo cannot block and a device is not touched. What is then opened is
 * the very file that was looked at (through /proc/self/fd), not the name again.
 */
#include "shm/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/layout.h"

#define IVSHMEM_BYTES_MIN (1ULL << 20)

static int open_beneath(int dir_fd, const char *name, uint64_t flags, mode_t mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* The file itself behind an O_PATH descriptor, never another one that took its name meanwhile. */
static int open_looked_at(int path_fd)
{
	char link[32];
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	fd = open(link, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* @owner: of the folder, or NULL where the owner is no criterion. */
static int judge(const struct stat *st, const uid_t *owner)
{
	if (S_ISLNK(st->st_mode))
		return SCAPH_SEGMENT_SYMLINK;
	if (!S_ISREG(st->st_mode))
		return SCAPH_SEGMENT_NOT_FILE;
	if (owner && st->st_uid != *owner && st->st_uid != geteuid())
		return SCAPH_SEGMENT_NOT_OWNED;
	if (st->st_nlink != 1)
		return SCAPH_SEGMENT_LINKED;
	return SCAPH_SEGMENT_OPENED;
}

/* 0 and a descriptor for an existing file that is fit to be ours, a refusal, or a negative errno. */
static int open_existing(int dir_fd, const char *name, const uid_t *owner, int *ret_fd,
			 struct stat *ret_st)
{
	struct stat st;
	int path_fd, fd, r;

	path_fd = open_beneath(dir_fd, name, O_PATH, 0);
	if (path_fd == -ELOOP)
		return SCAPH_SEGMENT_SYMLINK;
	if (path_fd < 0)
		return path_fd;
	r = fstat(path_fd, &st) < 0 ? -errno : judge(&st, owner);
	if (r == 0) {
		fd = open_looked_at(path_fd);
		if (fd < 0) {
			r = fd;
		} else {
			*ret_fd = fd;
			*ret_st = st;
		}
	}
	close(path_fd);
	return r;
}

static int reserve(int fd, uint64_t bytes, uint64_t present_bytes)
{
	/* Holes of an existing file are filled too; its content and a greater length stay. */
	uint64_t all = present_bytes > bytes ? present_bytes : bytes;

	if (fallocate(fd, 0, 0, (off_t)all) == 0)
		return 0;
	if (errno != EOPNOTSUPP)
		return -errno;
	/* No fallocate (some plain folders): the generic way writes to each block. */
	return -posix_fallocate(fd, 0, (off_t)all);
}

/* Reserve what an ivshmem file has, and never grow it, even if it is cut at this moment. */
static int fill_holes(int fd, uint64_t bytes)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) < 0 ? -errno : 0;
}

static int set_access(int fd, mode_t mode, gid_t group)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (group != SCAPH_SEGMENT_KEEP_GROUP && st.st_gid != group &&
	    fchown(fd, (uid_t)-1, group) < 0)
		return -errno;
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return -errno;
	return 0;
}

static int map_whole(int fd, uint64_t bytes, struct scaph_segment *ret_segment)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	madvise(map, bytes, MADV_DONTFORK);
	*ret_segment = (struct scaph_segment){
		.fd = fd,
		.bytes = bytes,
		.guard = { .map = map, .bytes = bytes },
	};
	return 0;
}

/* Take back what was created just now, unless something else has taken its name meanwhile. */
static void undo_create(int dir_fd, const char *name, int fd)
{
	struct stat ours, named;

	if (fstat(fd, &ours) < 0 || fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (ours.st_dev == named.st_dev && ours.st_ino == named.st_ino)
		unlinkat(dir_fd, name, 0);
}

int scaph_segment_open(int dir_fd, const char *name, uint64_t bytes, mode_t mode, gid_t group,
		       struct scaph_segment *ret_segment)
{
	struct stat folder, st = {};
	bool created = false;
	int fd = -1, r;

	if (fstat(dir_fd, &folder) < 0)
		return -errno;
	r = open_existing(dir_fd, name, &folder.st_uid, &fd, &st);
	if (r == -ENOENT) {
		fd = open_beneath(dir_fd, name, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0)
			return fd;
		created = true;
	} else if (r) {
		return r;
	}
	r = reserve(fd, bytes, (uint64_t)st.st_size);
	/* Whoever the folder is meant for is to find a file of its own, also after root was here. */
	if (r == 0 && created && geteuid() == 0 && folder.st_uid != 0 &&
	    fchown(fd, folder.st_uid, (gid_t)-1) < 0)
		r = -errno;
	if (r == 0)
		r = set_access(fd, mode, group);
	if (r == 0)
		r = map_whole(fd, bytes, ret_segment);
	if (r) {
		if (created)
			undo_create(dir_fd, name, fd);
		close(fd);
	}
	return r;
}

int scaph_segment_open_ivshmem(int dir_fd, const char *name, uint64_t bytes,
			       struct scaph_segment *ret_segment)
{
	struct stat st = {};
	uint64_t present;
	int fd = -1, r;

	r = open_existing(dir_fd, name, NULL, &fd, &st);
	if (r)
		return r;
	present = (uint64_t)st.st_size;
	if (present < IVSHMEM_BYTES_MIN || (present & (present - 1)))
		r = SCAPH_SEGMENT_NOT_POWER;
	else if (present < bytes)
		r = SCAPH_SEGMENT_TOO_SMALL;
	else
		r = fill_holes(fd, present);
	if (r == 0)
		r = map_whole(fd, present, ret_segment);
	if (r)
		close(fd);
	return r;
}

void scaph_segment_close(struct scaph_segment *segment)
{
	if (segment->fd < 0)
		return;
	munmap(segment->guard.map, segment->guard.bytes);
	close(segment->fd);
	*segment = SCAPH_SEGMENT_NULL;
}

const char *scaph_segment_refusal_text(enum scaph_segment_refusal refusal)
{
	switch (refusal) {
	case SCAPH_SEGMENT_OPENED:
		return "opened";
	case SCAPH_SEGMENT_SYMLINK:
		return "a symbolic link stands in its place; remove it";
	case SCAPH_SEGMENT_NOT_FILE:
		return "something that is no regular file stands in its place; remove it";
	case SCAPH_SEGMENT_NOT_OWNED:
		return "a file of another owner stands in its place; remove it";
	case SCAPH_SEGMENT_LINKED:
		return "the file in its place has other hard links; remove it";
	case SCAPH_SEGMENT_TOO_SMALL:
		return "the ivshmem file is too small for this window; give the device more memory";
	case SCAPH_SEGMENT_NOT_POWER:
		return "the ivshmem file is not a power of two of at least 1 MiB; match it to the "
		       "device's size";
	}
	return "refused";
}
