/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share.c - opening the folders segments lie in
 */
#include "producer/domain/share.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "producer/process/log.h"
#include "proto/names.h"

static int lock(int fd, const char *path)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		scaph_error("%s: another scaphd uses it; stop that one first", path);
	else
		scaph_error("%s: cannot be locked: %s", path, strerror(errno));
	return -EBUSY;
}

int scaph_share_open_root(const struct scaph_config *config)
{
	const char *path = config->share_root;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0) {
		r = -errno;
		if (r == -ENOENT)
			scaph_error("%s: no such folder; create it or give --share-root", path);
		else
			scaph_error("%s: %s; give --share-root a folder of ours", path,
				    strerror(-r));
		return r;
	}
	/* --check asks what would run, beside a daemon that does. */
	r = config->check ? 0 : lock(fd, path);
	if (r) {
		close(fd);
		return r;
	}
	return fd;
}

/* All folders on the way, the last one private. */
static int make_path(const char *path)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return -ENAMETOOLONG;
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static void remove_segments(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!folder)
		return;
	while ((entry = readdir(folder))) {
		size_t length = strlen(entry->d_name);

		if (length > 5 && strcmp(entry->d_name + length - 5, ".ring") == 0)
			unlinkat(fd, entry->d_name, 0);
	}
	closedir(folder);
}

/* A folder of the daemon's own: made if missing, nobody else's to write to, locked. */
static int open_own(const char *path, const char *option, bool check)
{
	int r = check ? 0 : make_path(path), fd = -1;
	struct stat st;

	if (r == 0) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : 0;
	}
	if (check && r == -ENOENT)
		return r;
	if (r) {
		scaph_error("%s: %s; give %s a folder that can be made", path, strerror(-r),
			    option);
		return r;
	}
	if (fstat(fd, &st) < 0 || (!check && st.st_uid != geteuid()) || (st.st_mode & 022)) {
		scaph_error("%s: others own it or may write to it; chown and chmod 0700 it, or "
			    "give %s another",
			    path, option);
		r = -EPERM;
	}
	if (r == 0 && !check)
		r = lock(fd, path);
	if (r) {
		close(fd);
		return r;
	}
	return fd;
}

int scaph_share_open_host(const struct scaph_config *config, bool check)
{
	int fd = open_own(config->host_dir, "--host-dir", check);

	if (fd >= 0 && !check)
		remove_segments(fd);
	return fd;
}

int scaph_share_open_state(const struct scaph_config *config, bool check)
{
	return open_own(config->state_dir, "--state-dir", check);
}

static int open_component(int root_fd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	/* One component, and none that names another place. */
	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -ENOENT;
	fd = syscall(SYS_openat2, root_fd, name, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int scaph_share_place_of(int fd, struct scaph_share_place *ret_place)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	*ret_place = (struct scaph_share_place){
		.device = st.st_dev,
		.inode = st.st_ino,
		.blocks = fs.f_type == TMPFS_MAGIC ? fs.f_blocks : 0,
	};
	memcpy(&ret_place->file_system, &fs.f_fsid, sizeof(ret_place->file_system));
	return 0;
}

bool scaph_share_moved(const struct scaph_share_place *before, const struct scaph_share_place *now,
		       bool held)
{
	if (now->device != before->device || now->inode != before->inode)
		return true;
	return !held && (now->file_system != before->file_system || now->blocks != before->blocks);
}

int scaph_share_look(int root_fd, const struct scaph_domain *domain,
		     char ret_folder[SCAPH_NAME_BYTES])
{
	char uuid[SCAPH_UUID_TEXT_BYTES];
	uint8_t other[SCAPH_UUID_BYTES];
	int fd;

	scaph_uuid_format(domain->uuid, uuid);
	snprintf(ret_folder, SCAPH_NAME_BYTES, "%s", uuid);
	fd = open_component(root_fd, uuid);
	/*
	 * A name that reads as a UUID is another domain's folder: whoever chose it would be sent
	 * the wrong figures there.
	 */
	if (fd == -ENOENT && !domain->uuid_alone && scaph_uuid_parse(domain->name, other) != 0) {
		snprintf(ret_folder, SCAPH_NAME_BYTES, "%s", domain->name);
		fd = open_component(root_fd, domain->name);
	}
	return fd;
}

int scaph_share_find(const struct scaph_config *config, int root_fd,
		     const struct scaph_domain *domain, char ret_folder[SCAPH_NAME_BYTES])
{
	int fd = scaph_share_look(root_fd, domain, ret_folder);
	struct statfs fs;

	if (fd == -ENOENT)
		return fd;
	if (fd < 0) {
		scaph_error("%s: share of %s: %s; it must be a plain folder, no symbolic link",
			    config->share_root, domain->shown, strerror(-fd));
		return fd;
	}
	if (!config->allow_plain_dir && (fstatfs(fd, &fs) < 0 || fs.f_type != TMPFS_MAGIC)) {
		scaph_error("%s: share of %s is not a tmpfs; mount one there, or give "
			    "--allow-plain-dir",
			    config->share_root, domain->shown);
		close(fd);
		return -EINVAL;
	}
	return fd;
}
