/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.h - how a reader gets private copies of a segment's bytes: one interface, two backends
 *
 * coherent: the mapping is the host's memory (ivshmem, local tmpfs, DAX). No system call.
 * snapshot: the guest's page cache stands in between (virtiofs, 9p, pmem) and a mapping would show
 *           frozen data: preads past the cache (O_DIRECT) into an aligned buffer.
 *
 * A backend delivers copies and judges nothing; a copy of a slot or block that it knows to be torn
 * comes with an odd sequence or generation. Offsets come from a checked descriptor only. One thread
 * per access; copies are valid until the next call.
 */
#ifndef SCAPH_SHM_ACCESS_H
#define SCAPH_SHM_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/descriptor.h"
#include "proto/layout.h"
#include "shm/figures.h"
#include "shm/guard.h"
#include "shm/watch.h"

#define SCAPH_ACCESS_BUFFER_BYTES (68U << 10) /* 1,024 slots, wherever in a block they begin */

enum scaph_mode {
	SCAPH_MODE_AUTO = 0,
	SCAPH_MODE_COHERENT = 1,
	SCAPH_MODE_SNAPSHOT = 2,
};

/* A private copy of consecutive slots of one ring. */
struct scaph_run {
	const uint8_t *bytes;
	uint32_t stride;
	uint32_t count; /* slots copied, at least 1 after a success */
};

/* What a reader uses of the head line: hints, each loaded on its own. */
struct scaph_heads {
	uint64_t fast;
	uint64_t slow;
	uint64_t beat;
};

/* What to take from a ring. */
struct scaph_take {
	const struct scaph_ring_place *ring;
	uint64_t epoch_id;
	uint32_t prefix;
	uint64_t index; /* at most SCAPH_INDEX_MAX */
	uint32_t room; /* at least 1 */
};

struct scaph_access;

/* Each returns 0 or a negative errno; -EINTR: nothing is wrong, ask again. */
struct scaph_access_ops {
	enum scaph_mode mode; /* not AUTO */
	/*
	 * Descriptor, head line, status: SCAPH_PREFIX_BYTES bytes. -ENODATA: the file is shorter.
	 */
	int (*look)(struct scaph_access *access, const uint8_t **ret_prefix);
	/* The head line alone, freshly. */
	int (*heads)(struct scaph_access *access, struct scaph_heads *ret_heads);
	/*
	 * Slots from @first on, freshly: up to @want, cut at the ring's end and as the backend
	 * likes. @first < ring->count, @want >= 1.
	 */
	int (*slots)(struct scaph_access *access, const struct scaph_ring_place *ring,
		     uint32_t first, uint32_t want, struct scaph_run *ret_run);
	/*
	 * Records from @index on, each verified, up to @room or the first that is not there or not
	 * usable: how many. NULL: a copy has to be made first.
	 */
	uint32_t (*take)(struct scaph_access *access, const struct scaph_take *take,
			 struct scaph_figures *ret_figures);
};

struct scaph_access {
	const struct scaph_access_ops *ops;
	int fd;
	uint64_t bytes; /* of the segment, as last seen */
	bool may_pread; /* false for a PCI resource */
	bool direct; /* O_DIRECT is on */
	struct scaph_guard guard;
	uint8_t *buffer; /* SCAPH_ACCESS_BUFFER_BYTES, page aligned */
};

#define SCAPH_ACCESS_NULL                                                                          \
	(struct scaph_access)                                                                      \
	{                                                                                          \
		.fd = -1                                                                           \
	}

extern const struct scaph_access_ops scaph_access_coherent;
extern const struct scaph_access_ops scaph_access_snapshot;

/**
 * scaph_access_open() - open a segment for reading and choose the mode
 * @path:       regular file, block device or an ivshmem device's resource2
 * @mode:       AUTO: by mount type; whoever uses it goes on checking that a mapping moves
 * @ret_access: set only on 0; closed with scaph_access_close()
 *
 * Nothing but a regular file or a block device is ever opened: the name is looked at through O_PATH
 * first.
 *
 * Return:   0 or a negative errno (-ENOTSUP: not a file a segment can be; -EPERM: a mapping is
 *           forbidden, e.g. lockdown; -ENODATA: shorter than a segment's first 8 KiB).
 */
int scaph_access_open(const char *path, enum scaph_mode mode, struct scaph_access *ret_access);

/* Safe on SCAPH_ACCESS_NULL, and leaves that. */
void scaph_access_close(struct scaph_access *access);

/*
 * From coherent to snapshot reading of the same open file; 0 or a negative errno, nothing changed.
 */
int scaph_access_to_snapshot(struct scaph_access *access);

/*
 * The head line by pread, past a mapping that may be frozen; -EOPNOTSUPP where a pread cannot be.
 */
int scaph_access_pread_heads(struct scaph_access *access, struct scaph_heads *ret_heads);

/*
 * The one record that a slot is watched for, if it is there, verified and usable: what ops->take does for one that lies in a
 * mapping, without the way there.
 */
bool scaph_access_take_watched(const struct scaph_watch *watch, uint32_t prefix, uint64_t epoch_id,
			       uint64_t index, struct scaph_figures *ret_figures);

/*
 * Have the pages of a ring there before the first record is read: each fault would cost as much as a hundred records. A wish:
 * what cannot be had (a device's memory is always there; an old kernel) costs a fault a page later on.
 */
void scaph_access_populate(struct scaph_access *access, const struct scaph_ring_place *ring);

/* Set up one backend on access->fd; used by scaph_access_open(). */
int scaph_access_coherent_init(struct scaph_access *access);
int scaph_access_snapshot_init(struct scaph_access *access);

static inline enum scaph_mode scaph_access_mode(const struct scaph_access *access)
{
	return access->ops->mode;
}

#endif
