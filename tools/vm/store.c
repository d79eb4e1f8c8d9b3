/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c - a folder of texts for each domain
 *
 * A text is written beside its place, synced, and renamed over it.
 */
#include "tools/vm/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/names.h"
#include "tools/vm/say.h"

#define NEW ".new"
#define TRY_MS 20

int scaph_store_make_path(const char *path, unsigned int mode)
{
	/* Others pass through some of them, scaphd's user too, however private root's shell is. */
	mode_t mask = umask(022);
	char part[PATH_MAX];
	int r = 0;

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		r = -ENAMETOOLONG;
	for (char *slash = strchr(part + 1, '/'); r == 0 && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = mkdir(part, 0755) < 0 && errno != EEXIST ? -errno : 0;
		*slash = '/';
	}
	if (r == 0 && mkdir(part, mode) < 0 && errno != EEXIST)
		r = -errno;
	umask(mask);
	if (r)
		scaph_vm_error("%s: cannot be made: %s; be root, or choose another folder", path,
			       strerror(-r));
	return r;
}

/* Whose folder it is decides what a definition becomes. */
static int check_owner(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & 022))
		return 0;
	scaph_vm_error("%s: others own it or may write to it; chown and chmod 0700 it, or give "
		       "--state-dir another",
		       path);
	return -EPERM;
}

static bool take_lock(int fd, unsigned int patience_ms)
{
	static const struct timespec pause = { .tv_nsec = TRY_MS * 1000000L };

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (patience_ms < TRY_MS)
			return false;
		patience_ms -= TRY_MS;
		nanosleep(&pause, NULL);
	}
	return true;
}

int scaph_store_open(const char *path, bool change, unsigned int patience_ms)
{
	int fd, r = change ? scaph_store_make_path(path, 0700) : 0;

	if (r)
		return -EIO;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !change)
		return SCAPH_STORE_ABSENT;
	if (fd < 0) {
		scaph_vm_error("%s: %s; be root, or give --state-dir another folder", path,
			       strerror(errno));
		return -EIO;
	}
	r = check_owner(fd, path);
	if (r == 0 && change && !take_lock(fd, patience_ms)) {
		scaph_vm_error("%s: another scaph-vm is at work, or waits for an answer; let it "
			       "end first",
			       path);
		r = -EBUSY;
	}
	if (r == 0)
		return fd;
	close(fd);
	return -EIO;
}

static int open_folder(int store, const char *uuid)
{
	int fd = openat(store, uuid, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
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

int scaph_store_write(int folder, const char *name, const char *text, unsigned int mode)
{
	char beside[64];
	int fd, r;

	snprintf(beside, sizeof(beside), "%s" NEW, name);
	fd = openat(folder, beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	close(fd);
	if (r == 0 && (renameat(folder, beside, folder, name) < 0 || fsync(folder) < 0))
		r = -errno;
	return r;
}

int scaph_store_put(int store, const char *uuid, const char *name, const char *text)
{
	int r = 0, folder;

	if (mkdirat(store, uuid, 0700) == 0)
		r = fsync(store) < 0 ? -errno : 0;
	else if (errno != EEXIST)
		r = -errno;
	if (r == 0) {
		folder = open_folder(store, uuid);
		r = folder < 0 ? folder : scaph_store_write(folder, name, text, 0600);
		if (folder >= 0)
			close(folder);
	}
	if (r)
		scaph_vm_error("%s/%s in the state folder: %s; nothing was changed without it "
			       "being noted first",
			       uuid, name, strerror(-r));
	return r;
}

static char *read_all(int fd)
{
	char *text = NULL, piece[4096];
	ssize_t got = 0;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	while ((got = read(fd, piece, sizeof(piece))) > 0)
		fwrite(piece, 1, (size_t)got, out);
	if (fclose(out) == 0 && got == 0)
		return text;
	free(text);
	return NULL;
}

char *scaph_store_read(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *text = fd < 0 ? NULL : read_all(fd);

	if (fd >= 0)
		close(fd);
	return text;
}

char *scaph_store_get(int store, const char *uuid, const char *name)
{
	int folder = open_folder(store, uuid);
	char *text = folder < 0 ? NULL : scaph_store_read(folder, name);

	if (folder >= 0)
		close(folder);
	return text;
}

static int empty(int folder, const char *first)
{
	struct dirent *entry;
	int r = 0;
	DIR *open;

	if (unlinkat(folder, first, 0) < 0 && errno != ENOENT)
		return -errno;
	open = fdopendir(dup(folder));
	if (!open)
		return -errno;
	while (r == 0 && (entry = readdir(open))) {
		if (entry->d_type != DT_DIR && unlinkat(folder, entry->d_name, 0) < 0)
			r = -errno;
	}
	closedir(open);
	return r;
}

int scaph_store_forget(int store, const char *uuid, const char *first)
{
	int folder = open_folder(store, uuid), r;

	if (folder == -ENOENT)
		return 0;
	r = folder < 0 ? folder : empty(folder, first);
	if (folder >= 0)
		close(folder);
	if (r == 0 && unlinkat(store, uuid, AT_REMOVEDIR) < 0)
		r = -errno;
	if (r)
		scaph_vm_error("%s in the state folder: cannot be removed: %s; rm -r it", uuid,
			       strerror(-r));
	return r;
}

bool scaph_store_next(int store, char uuid[37])
{
	char best[SCAPH_UUID_TEXT_BYTES] = "";
	uint8_t parsed[SCAPH_UUID_BYTES];
	struct dirent *entry;
	DIR *folder;
	int copy = openat(store, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	folder = copy < 0 ? NULL : fdopendir(copy);
	if (!folder)
		return false;
	while ((entry = readdir(folder))) {
		if (scaph_uuid_parse(entry->d_name, parsed) == 0 &&
		    strcmp(entry->d_name, uuid) > 0 && (!*best || strcmp(entry->d_name, best) < 0))
			memcpy(best, entry->d_name, sizeof(best));
	}
	closedir(folder);
	if (*best)
		memcpy(uuid, best, sizeof(best));
	return *best;
}
