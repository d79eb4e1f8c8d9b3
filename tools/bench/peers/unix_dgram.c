/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix_dgram.c - peer: a pair of Unix datagram sockets, one record a datagram
 *
 * In its favour: no address to look up, no polling between the reads.
 */
#include "tools/bench/peers/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * unix(7): a sender blocks at net.unix.max_dgram_qlen datagrams or at SO_SNDBUF, socket(7), bytes with
 * all their overhead. Between two that are connected to each other only the latter holds; a 64-byte
 * datagram takes 768 bytes of it, and an ordinary system gives 212992.
 */
#define QUEUE 128

struct dgram {
	int writer;
	int reader;
};

static int dgram_open(const char *folder, void **ret_state)
{
	struct dgram *peer;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends))
		return -errno;
	peer = malloc(sizeof(*peer));
	if (!peer) {
		close(ends[0]);
		close(ends[1]);
		return -ENOMEM;
	}
	*peer = (struct dgram){ .writer = ends[0], .reader = ends[1] };
	*ret_state = peer;
	return 0;
}

static void dgram_publish(void *state, uint64_t first, uint32_t count)
{
	int fd = ((struct dgram *)state)->writer;

	for (uint64_t number = first; number != first + count; number++) {
		uint64_t words[BENCH_WORDS];

		bench_payload_fill(words, number);
		send(fd, words, sizeof(words), 0);
	}
}

static void dgram_read(void *state, uint32_t count, struct bench_tally *tally)
{
	int fd = ((struct dgram *)state)->reader;
	struct bench_tally seen = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		uint64_t words[BENCH_WORDS];
		ssize_t bytes = recv(fd, words, sizeof(words), 0);

		if (bytes == sizeof(words))
			bench_payload_count(words, &seen);
		else if (bytes < 0 && errno == EAGAIN)
			seen.empty++;
		else
			seen.bad++;
	}
	bench_tally_add(tally, &seen);
}

static void dgram_close(void *state)
{
	struct dgram *peer = state;

	close(peer->writer);
	close(peer->reader);
	free(peer);
}

const struct bench_peer bench_peer_unix_dgram = {
	.key = "unix_dgram",
	.lacks = "one reader; no history; a system call a record at each end; refuses when full",
	.capacity = QUEUE,
	.open = dgram_open,
	.publish = dgram_publish,
	.read = dgram_read,
	.close = dgram_close,
};
