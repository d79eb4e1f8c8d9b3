/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_file.c - a word, if it is root's
 */
#include "producer/domain/profile_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "producer/process/log.h"
#include "proto/names.h"

static bool is_trusted(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && !(st.st_mode & 022) &&
	       (st.st_uid == 0 || st.st_uid == geteuid());
}

/* Neither a link is followed nor a fifo waited for. */
static int open_file(const char *dir, const char *name)
{
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, r = 0;

	if (folder < 0)
		return -errno;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		r = -errno;
	else if (!is_trusted(folder, S_IFDIR) || !is_trusted(fd, S_IFREG))
		r = -EPERM;
	close(folder);
	if (r == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return r;
}

static int read_word(int fd, char ret_word[SCAPH_PROFILE_WORD_BYTES])
{
	char word[SCAPH_PROFILE_WORD_BYTES];
	ssize_t got = read(fd, word, sizeof(word));

	if (got < 0)
		return -errno;
	if (got == sizeof(word) || memchr(word, '\0', (size_t)got))
		return -EINVAL;
	if (got > 0 && word[got - 1] == '\n')
		got--;
	word[got] = '\0';
	memcpy(ret_word, word, sizeof(word));
	return 0;
}

int scaph_profile_file_read(const char *dir, const uint8_t uuid[SCAPH_UUID_BYTES],
			    char ret_word[SCAPH_PROFILE_WORD_BYTES])
{
	char name[SCAPH_UUID_TEXT_BYTES];
	int fd, r;

	scaph_uuid_format(uuid, name);
	fd = open_file(dir, name);
	if (fd == -ENOENT)
		return fd;
	r = fd < 0 ? fd : read_word(fd, ret_word);
	if (fd >= 0)
		close(fd);
	if (r)
		scaph_error("%s/%s: %s; it must be a file of one word in a folder, both of them "
			    "root's alone to write to; until then the domain's profile is off",
			    dir, name, strerror(-r));
	return r;
}
