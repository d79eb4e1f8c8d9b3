/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe.c - peer: a pipe, one record a write
 *
 * pipe(7): a write of up to PIPE_BUF bytes is never split. In its favour: no polling between the reads.
 */
#include "tools/bench/peers/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* pipe(7): 16 pages by default; asked for, as a user who has many pipes is given less. */
#define PIPE_BYTES 65536

struct pipe_ends {
	int writer;
	int reader;
};

static int pipe_open(const char *folder, void **ret_state)
{
	struct pipe_ends *peer;
	int ends[2], r;

	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	r = fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
	r = r < 0 ? -errno : 0;
	peer = r ? NULL : malloc(sizeof(*peer));
	if (!peer) {
		close(ends[0]);
		close(ends[1]);
		return r ? r : -ENOMEM;
	}
	*peer = (struct pipe_ends){ .reader = ends[0], .writer = ends[1] };
	*ret_state = peer;
	return 0;
}

static void pipe_publish(void *state, uint64_t first, uint32_t count)
{
	int fd = ((struct pipe_ends *)state)->writer;

	for (uint64_t number = first; number != first + count; number++) {
		uint64_t words[BENCH_WORDS];

		bench_payload_fill(words, number);
		/* Refused whole when it is full: dropped. */
		if (write(fd, words, sizeof(words)) < 0)
			continue;
	}
}

static void pipe_read(void *state, uint32_t count, struct bench_tally *tally)
{
	int fd = ((struct pipe_ends *)state)->reader;
	struct bench_tally seen = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		uint64_t words[BENCH_WORDS];
		ssize_t bytes = read(fd, words, sizeof(words));

		if (bytes == sizeof(words))
			bench_payload_count(words, &seen);
		else if (bytes < 0 && errno == EAGAIN)
			seen.empty++;
		else
			seen.bad++;
	}
	bench_tally_add(tally, &seen);
}

static void pipe_close(void *state)
{
	struct pipe_ends *peer = state;

	close(peer->writer);
	close(peer->reader);
	free(peer);
}

const struct bench_peer bench_peer_pipe = {
	.key = "pipe",
	.lacks = "one reader; no history; a system call a record at each end; refuses when full",
	.capacity = PIPE_BYTES / BENCH_RECORD_BYTES,
	.open = pipe_open,
	.publish = pipe_publish,
	.read = pipe_read,
	.close = pipe_close,
};
