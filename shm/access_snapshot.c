/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_snapshot.c - copies by pread past the page cache
 *
 * O_DIRECT where the file system takes it (virtiofs, 9p, block devices); a plain pread where it does not (there the cache is
 * the file, as on tmpfs). Every offset and length is a multiple of 4096. A copy may be torn anywhere: the checksums say so.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shm/access.h"

/* Bytes read into the buffer; short at the end of the file. */
static ssize_t read_blocks(struct scaph_access *access, uint64_t offset, uint32_t bytes)
{
	uint32_t got = 0;

	while (got < bytes) {
		ssize_t n =
			pread(access->fd, access->buffer + got, bytes - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		got += (uint32_t)n;
		/* A short read that is no whole block ends the file: O_DIRECT could not go on from there. */
		if (n == 0 || got % SCAPH_BLOCK_ALIGN)
			break;
	}
	return got;
}

static int snapshot_look(struct scaph_access *access, const uint8_t **ret_prefix)
{
	off_t end = lseek(access->fd, 0, SEEK_END);
	ssize_t got;

	if (end < 0)
		return -errno;
	access->bytes = (uint64_t)end;
	got = read_blocks(access, 0, SCAPH_PREFIX_BYTES);
	if (got < (ssize_t)SCAPH_PREFIX_BYTES)
		return got < 0 ? (int)got : -ENODATA;
	*ret_prefix = access->buffer;
	return 0;
}

static int snapshot_head(struct scaph_access *access, struct scaph_head *ret_head)
{
	ssize_t got = read_blocks(access, SCAPH_HEAD_OFFSET, SCAPH_BLOCK_ALIGN);

	if (got < (ssize_t)sizeof(*ret_head))
		return got < 0 ? (int)got : -ENODATA;
	memcpy(ret_head, access->buffer, sizeof(*ret_head));
	return 0;
}

static int snapshot_slots(struct scaph_access *access, const struct scaph_ring_place *ring,
			  uint32_t first, uint32_t want, struct scaph_run *ret_run)
{
	uint64_t at = ring->offset + (uint64_t)first * ring->stride;
	uint64_t from = at & ~(uint64_t)(SCAPH_BLOCK_ALIGN - 1);
	uint64_t end = ring->offset + (uint64_t)ring->count * ring->stride;
	uint64_t until = at + (uint64_t)want * ring->stride;
	uint32_t skip = (uint32_t)(at - from);
	ssize_t got;

	until = (until + SCAPH_BLOCK_ALIGN - 1) & ~(uint64_t)(SCAPH_BLOCK_ALIGN - 1);
	if (until > end)
		until = (end + SCAPH_BLOCK_ALIGN - 1) & ~(uint64_t)(SCAPH_BLOCK_ALIGN - 1);
	if (until - from > SCAPH_ACCESS_BUFFER_BYTES)
		until = from + SCAPH_ACCESS_BUFFER_BYTES;
	got = read_blocks(access, from, (uint32_t)(until - from));
	if (got < 0)
		return (int)got;
	if ((uint64_t)got > end - from)
		got = (ssize_t)(end - from);
	if (got < (ssize_t)(skip + ring->stride))
		return -ENODATA;
	*ret_run = (struct scaph_run){
		.bytes = access->buffer + skip,
		.stride = ring->stride,
		.count = ((uint32_t)got - skip) / ring->stride,
	};
	return 0;
}

const struct scaph_access_ops scaph_access_snapshot = {
	.look = snapshot_look,
	.head = snapshot_head,
	.slots = snapshot_slots,
};

int scaph_access_snapshot_init(struct scaph_access *access)
{
	int flags = fcntl(access->fd, F_GETFL);

	if (flags < 0)
		return -errno;
	access->direct = fcntl(access->fd, F_SETFL, flags | O_DIRECT) == 0;
	if (access->direct && pread(access->fd, access->buffer, SCAPH_BLOCK_ALIGN, 0) < 0 &&
	    errno == EINVAL) {
		/* Taken by the flag, refused by the read. */
		fcntl(access->fd, F_SETFL, flags);
		access->direct = false;
	}
	access->ops = &scaph_access_snapshot;
	return 0;
}
