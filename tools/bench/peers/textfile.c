/* SPDX-License-Identifier: Apache-2.0 */
/*
 * textfile.c - peer: one number in a text file, the way of Scaphandre's `qemu` exporter and `--vm`
 *
 * The host writes the file `energy_uj` by Rust's fs::write: open with O_TRUNC, write, close. The guest
 * opens, reads, parses and closes it. Between truncation and write the file is empty, which a reader
 * cannot tell from one that was never written. In its favour: Scaphandre reads its file back before
 * each write in order to add to it, and Rust's reader asks for the size and reads once more for the
 * end; neither is done here.
 *
 * The number is the record's times a prime, so that one of which a part is missing shows, and it
 * never decreases.
 */
#include "tools/bench/peers/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PRIME 1000003ULL

struct textfile {
	char path[PATH_MAX];
	uint64_t last; /* the reader's */
};

static int textfile_open(const char *folder, void **ret_state)
{
	struct textfile *peer;
	int r;

	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	r = snprintf(peer->path, sizeof(peer->path), "%s/energy_uj", folder);
	if (r < 0 || (size_t)r >= sizeof(peer->path)) {
		free(peer);
		return -ENAMETOOLONG;
	}
	*ret_state = peer;
	return 0;
}

static void textfile_publish(void *state, uint64_t first, uint32_t count)
{
	const char *path = ((struct textfile *)state)->path;

	for (uint64_t number = first; number != first + count; number++) {
		char text[24];
		int length = snprintf(text, sizeof(text), "%llu", number * PRIME);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		if (fd < 0)
			continue;
		/* A full file system leaves an empty file; readers count it. */
		if (write(fd, text, (size_t)length) < 0)
			length = 0;
		close(fd);
	}
}

/* Whether it is a number that may follow *last, which then is that. */
static bool textfile_parse(const char *text, uint64_t *last)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value % PRIME || value < *last)
		return false;
	*last = value;
	return true;
}

static void textfile_read(void *state, uint32_t count, struct bench_tally *tally)
{
	struct textfile *peer = state;

	for (uint32_t i = 0; i < count; i++) {
		char text[32];
		ssize_t bytes;
		int fd = open(peer->path, O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			tally->empty++;
			continue;
		}
		bytes = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (!bytes) {
			tally->empty++;
			continue;
		}
		text[bytes > 0 ? bytes : 0] = 0;
		if (bytes > 0 && textfile_parse(text, &peer->last))
			tally->records++;
		else
			tally->bad++;
	}
}

static void textfile_close(void *state)
{
	struct textfile *peer = state;

	unlink(peer->path);
	free(peer);
}

const struct bench_peer bench_peer_textfile = {
	.key = "textfile",
	.lacks = "one number alone, no time, no history, no checksum, no loss count; readers find "
		 "it empty",
	.capacity = 0,
	.open = textfile_open,
	.publish = textfile_publish,
	.read = textfile_read,
	.close = textfile_close,
};
