/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_snapshot.c - copies by pread past the page cache
 *
 * O_DIRECT where the file system takes it (virtiofs, 9p, block devices); a plain pread where it
 * does not (there the cache is the file, as on tmpfs). Every offset and length is a multiple of
 * 4096. A copy may be torn anywhere, and may hold a slot older than one after it: the checksums
 * tell the one, the reading rules bear the other. What orders two copies is that one pread ended
 * before the next began.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/access.h"

static uint64_t block_up(uint64_t offset)
{
	return (offset + SCAPH_BLOCK_ALIGN - 1) & ~(uint64_t)(SCAPH_BLOCK_ALIGN - 1);
}

static uint64_t block_down(uint64_t offset)
{
	return offset & ~(uint64_t)(SCAPH_BLOCK_ALIGN - 1);
}

/* Bytes read into the buffer, short at the end of the file; or a negative errno. */
static ssize_t read_blocks(struct scaph_access *access, uint64_t offset, uint32_t bytes)
{
	uint32_t got = 0;

	while (got < bytes) {
		ssize_t n =
			pread(access->fd, access->buffer + got, bytes - got, (off_t)(offset + got));

		if (n < 0)
			return -errno;
		got += (uint32_t)n;
		/* What is no whole block ends the file: O_DIRECT could not go on from there. */
		if (n == 0 || got % SCAPH_BLOCK_ALIGN)
			break;
	}
	return got;
}

/* Taken by the flag may still be refused by the read: then plainly. */
static void go_direct(struct scaph_access *access)
{
	if (access->direct || fcntl(access->fd, F_SETFL, O_DIRECT) < 0)
		return;
	if (pread(access->fd, access->buffer, SCAPH_BLOCK_ALIGN, 0) < 0 && errno == EINVAL)
		fcntl(access->fd, F_SETFL, 0);
	else
		access->direct = true;
}

static int snapshot_look(struct scaph_access *access, const uint8_t **ret_prefix)
{
	struct stat st;
	ssize_t got;

	if (fstat(access->fd, &st) < 0)
		return -errno;
	if (S_ISBLK(st.st_mode))
		st.st_size = lseek(access->fd, 0, SEEK_END);
	if (st.st_size < 0)
		return -errno;
	access->bytes = (uint64_t)st.st_size;
	got = read_blocks(access, 0, SCAPH_PREFIX_BYTES);
	if (got < 0)
		return (int)got;
	if (got < (ssize_t)SCAPH_PREFIX_BYTES)
		return -ENODATA;
	*ret_prefix = access->buffer;
	return 0;
}

static int snapshot_heads(struct scaph_access *access, struct scaph_heads *ret_heads)
{
	ssize_t got = read_blocks(access, SCAPH_HEAD_OFFSET, SCAPH_BLOCK_ALIGN);

	if (got < 0)
		return (int)got;
	if (got < (ssize_t)sizeof(*ret_heads))
		return -ENODATA;
	memcpy(ret_heads, access->buffer, sizeof(*ret_heads));
	return 0;
}

static int snapshot_slots(struct scaph_access *access, const struct scaph_ring_place *ring,
			  uint32_t first, uint32_t want, struct scaph_run *ret_run)
{
	uint64_t at = ring->offset + (uint64_t)first * ring->stride;
	uint64_t end = ring->offset + (uint64_t)ring->count * ring->stride;
	uint64_t from = block_down(at);
	uint64_t until = block_up(at + (uint64_t)want * ring->stride);
	uint32_t skip = (uint32_t)(at - from);
	ssize_t got;

	/* Of the last slot its first 64 bytes do: they are what every layout has. */
	if (until > end)
		until = block_up(end);
	if (until - from > SCAPH_ACCESS_BUFFER_BYTES)
		until = from + SCAPH_ACCESS_BUFFER_BYTES;
	got = read_blocks(access, from, (uint32_t)(until - from));
	if (got < 0)
		return (int)got;
	if ((uint64_t)got > end - from)
		got = (ssize_t)(end - from);
	if (got < (ssize_t)(skip + SCAPH_SLOT_BYTES))
		return -ENODATA;
	*ret_run = (struct scaph_run){
		.bytes = access->buffer + skip,
		.stride = ring->stride,
		.count = ((uint32_t)got - skip - SCAPH_SLOT_BYTES) / ring->stride + 1,
	};
	return 0;
}

const struct scaph_access_ops scaph_access_snapshot = {
	.mode = SCAPH_MODE_SNAPSHOT,
	.look = snapshot_look,
	.heads = snapshot_heads,
	.slots = snapshot_slots,
};

int scaph_access_snapshot_init(struct scaph_access *access)
{
	go_direct(access);
	access->ops = &scaph_access_snapshot;
	return 0;
}

int scaph_access_pread_heads(struct scaph_access *access, struct scaph_heads *ret_heads)
{
	if (!access->may_pread)
		return -EOPNOTSUPP;
	go_direct(access);
	return snapshot_heads(access, ret_heads);
}
