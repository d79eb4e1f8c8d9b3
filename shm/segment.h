/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.h - the writer's side of a segment file: found or made safely, reserved, mapped
 *
 * The guest may own the folder: it can have put a symlink, a directory, a fifo, a hard link, a short file there. Whether a file
 * is ours is decided by fstat alone (regular, owned by us or by whom the folder is for, one link), never by content. Too short ones are grown, none
 * is shrunk or replaced: a guest may have it open. Space is reserved before mapping, so that a full tmpfs is an error at
 * start and not a SIGBUS later.
 *
 * Owner: the publisher's domain. Opening happens before the capabilities are dropped, on the main thread.
 */
#ifndef SCAPH_SHM_SEGMENT_H
#define SCAPH_SHM_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shm/guard.h"

#define SCAPH_SEGMENT_NAME "scaph.ring"
#define SCAPH_SEGMENT_KEEP_GROUP ((gid_t)-1)

/* Positive results of the openers: the caller says it in words and leaves the file alone. */
enum scaph_segment_refusal {
	SCAPH_SEGMENT_OPENED = 0,
	SCAPH_SEGMENT_SYMLINK, /* a symbolic link stands in its place */
	SCAPH_SEGMENT_NOT_FILE, /* a directory, fifo, device, socket stands there */
	SCAPH_SEGMENT_NOT_OWNED, /* owned by somebody else */
	SCAPH_SEGMENT_LINKED, /* has other hard links */
	SCAPH_SEGMENT_TOO_SMALL, /* ivshmem: cannot be grown */
	SCAPH_SEGMENT_NOT_POWER, /* ivshmem: not a power of two of at least 1 MiB */
};

struct scaph_segment {
	int fd;
	uint64_t bytes; /* mapped bytes */
	struct scaph_guard guard;
};

#define SCAPH_SEGMENT_NULL                                                                         \
	(struct scaph_segment)                                                                     \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/**
 * scaph_segment_open() - open or create NAME beneath a folder, reserve its space, map it
 * @dir_fd:      the share (or host) folder
 * @name:        one path component, no '/'
 * @bytes:       size needed, a multiple of 4096
 * @mode, @group: set on the file if they differ; SCAPH_SEGMENT_KEEP_GROUP leaves the group
 * @ret_segment: set only on 0
 *
 * Context:  main thread; blocks on the file system of the folder, which is the host's own.
 * Return:   0, enum scaph_segment_refusal, or a negative errno (-ENOSPC: the folder's file system is full).
 */
int scaph_segment_open(int dir_fd, const char *name, uint64_t bytes, mode_t mode, gid_t group,
		       struct scaph_segment *ret_segment);

/**
 * scaph_segment_open_ivshmem() - map an existing ivshmem file; never created, grown or chmodded
 * @dir_fd: /dev/shm or what stands for it
 * @name:   "scaph-UUID"
 * @bytes:  least size needed; the file must be a power of two >= 1 MiB and at least that
 *
 * Its owner is QEMU's user: ownership is not a criterion here, being a regular file with one link is.
 * Return:   as above; -ENOENT: there is none.
 */
int scaph_segment_open_ivshmem(int dir_fd, const char *name, uint64_t bytes,
			       struct scaph_segment *ret_segment);

/* Unmap and close; NULL-safe by SCAPH_SEGMENT_NULL. */
void scaph_segment_close(struct scaph_segment *segment);

/* One clause for people: what stands there and what mends it. */
const char *scaph_segment_refusal_text(enum scaph_segment_refusal refusal);

#endif
