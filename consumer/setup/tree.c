/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.c - paths within a root, files replaced at once
 */
#include "consumer/setup/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1U << 20)

int scaph_tree_open(const char *root, struct scaph_tree *ret_tree)
{
	int fd = open(root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_tree = (struct scaph_tree){ .fd = fd, .root = root };
	return 0;
}

static int open_in(const struct scaph_tree *tree, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, tree->fd, path, &how, sizeof(how));

	/* Before Linux 5.6 only the machine itself can be set up: its links lead nowhere else anyway. */
	if (fd < 0 && errno == ENOSYS && !tree->root)
		fd = open(path, (int)flags | O_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

/* The folder that holds a path, and the name in it. */
static int open_parent(const struct scaph_tree *tree, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof(folder), "%.*s/", (int)(slash - path), path) >=
	    (int)sizeof(folder))
		return -ENAMETOOLONG;
	*ret_name = slash + 1;
	return open_in(tree, folder, O_RDONLY | O_DIRECTORY);
}

bool scaph_tree_has(const struct scaph_tree *tree, const char *path)
{
	int fd = open_in(tree, path, O_PATH);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int read_text(int fd, size_t size, char **ret_text)
{
	char *text = malloc(size + 2);
	size_t got = 0;
	ssize_t n = 1;

	if (!text)
		return -ENOMEM;
	while (n > 0 && got <= size) {
		n = read(fd, text + got, size + 1 - got);
		if (n > 0)
			got += (size_t)n;
	}
	if (n < 0 || got > size || memchr(text, '\0', got)) {
		free(text);
		return n < 0 ? -errno : got > size ? -EAGAIN : -EINVAL;
	}
	text[got] = '\0';
	*ret_text = text;
	return 0;
}

int scaph_tree_read(const struct scaph_tree *tree, const char *path, char **ret_text)
{
	const char *name;
	struct stat st;
	int folder = open_parent(tree, path, &name), fd, r;

	if (folder < 0)
		return folder;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	close(folder);
	if (r == 0)
		r = !S_ISREG(st.st_mode)	  ? -EINVAL
		    : st.st_size > FILE_BYTES_MAX ? -EFBIG
						  : read_text(fd, (size_t)st.st_size, ret_text);
	if (fd >= 0)
		close(fd);
	return r;
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t wrote = write(fd, text, left);

		if (wrote < 0 && errno != EINTR)
			return -errno;
		if (wrote > 0) {
			text += wrote;
			left -= (size_t)wrote;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The name under which a file is written before it takes its place. */
static int beside_name(const char *name, char ret_beside[NAME_MAX + 1])
{
	return snprintf(ret_beside, NAME_MAX + 1, ".%s.scaph-new", name) > NAME_MAX ? -ENAMETOOLONG
										    : 0;
}

/* Beside it, then in its place. */
static int replace(int folder, const char *name, const char *text, mode_t mode)
{
	char beside[NAME_MAX + 1];
	struct stat st;
	bool old = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	int fd, r;

	if (old && !S_ISREG(st.st_mode))
		return S_ISLNK(st.st_mode) ? -ELOOP : -EINVAL;
	r = beside_name(name, beside);
	if (r)
		return r;
	/* What an interrupted run has left there, whatever it is. */
	if (unlinkat(folder, beside, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(folder, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	if (r == 0 && old && fchown(fd, st.st_uid, st.st_gid) < 0)
		r = -errno;
	if (r == 0 && fchmod(fd, old ? st.st_mode & 07777 : mode) < 0)
		r = -errno;
	close(fd);
	if (r == 0 && (renameat(folder, beside, folder, name) < 0 || fsync(folder) < 0))
		r = -errno;
	if (r)
		unlinkat(folder, beside, 0);
	return r;
}

int scaph_tree_write(const struct scaph_tree *tree, const char *path, const char *text, mode_t mode)
{
	const char *name;
	int folder = open_parent(tree, path, &name), r;

	if (folder < 0)
		return folder;
	r = replace(folder, name, text, mode);
	close(folder);
	return r;
}

int scaph_tree_link(const struct scaph_tree *tree, const char *path, const char *target)
{
	const char *name;
	int folder = open_parent(tree, path, &name), r;

	if (folder < 0)
		return folder;
	r = symlinkat(target, folder, name) < 0 ? -errno : 0;
	close(folder);
	return r;
}

int scaph_tree_make_folder(const struct scaph_tree *tree, const char *path)
{
	const char *name;
	int folder = open_parent(tree, path, &name), r;

	if (folder < 0)
		return folder;
	r = mkdirat(folder, name, 0755) < 0 ? -errno : 0;
	close(folder);
	return r;
}

static int unlink_in(const struct scaph_tree *tree, const char *path, int flags)
{
	const char *name;
	int folder = open_parent(tree, path, &name), r;

	if (folder < 0)
		return folder;
	r = unlinkat(folder, name, flags) < 0 ? -errno : 0;
	close(folder);
	return r;
}

int scaph_tree_remove(const struct scaph_tree *tree, const char *path)
{
	return unlink_in(tree, path, 0);
}

int scaph_tree_remove_folder(const struct scaph_tree *tree, const char *path)
{
	return unlink_in(tree, path, AT_REMOVEDIR);
}

int scaph_tree_read_link(const struct scaph_tree *tree, const char *path, char *ret_text,
			 size_t size)
{
	const char *name;
	int folder = open_parent(tree, path, &name);
	ssize_t length;

	if (folder < 0)
		return folder;
	length = readlinkat(folder, name, ret_text, size - 1);
	close(folder);
	if (length < 0)
		return -errno;
	ret_text[length] = '\0';
	return 0;
}

void scaph_tree_sweep(const struct scaph_tree *tree, const char *path)
{
	char beside[NAME_MAX + 1];
	const char *name;
	int folder = open_parent(tree, path, &name);

	if (folder < 0)
		return;
	if (beside_name(name, beside) == 0)
		unlinkat(folder, beside, 0);
	close(folder);
}
