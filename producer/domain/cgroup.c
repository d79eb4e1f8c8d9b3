/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.c - finding a control group's counter
 */
#include "producer/domain/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

static int open_folder(const char *root, const char *path)
{
	char full[PATH_MAX];
	int fd;

	if (*path == '/')
		return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(full, sizeof(full), "%s/%s", root, path);
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(full, sizeof(full), "%s/cpuacct/%s", root, path);
	return open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* 1 or 2, the version whose folder it is; 0: neither. */
static int version_of(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return 0;
	return fs.f_type == CGROUP2_SUPER_MAGIC ? 2 : fs.f_type == CGROUP_SUPER_MAGIC ? 1 : 0;
}

/* The whole path behind a descriptor, so that two ways to one group are found out. */
static int path_of(int fd, char ret_path[SCAPH_CGROUP_PATH_BYTES])
{
	char link[32];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, ret_path, SCAPH_CGROUP_PATH_BYTES - 1);
	if (length < 0)
		return -errno;
	ret_path[length] = '\0';
	return 0;
}

static int open_in(int folder, struct scaph_cgroup *cgroup, const char **ret_why)
{
	int version = version_of(folder), r;
	struct stat st;

	*ret_why = "is no control group; give a folder beneath /sys/fs/cgroup";
	if (!version)
		return -ENOTSUP;
	*ret_why = "cannot be looked at";
	r = path_of(folder, cgroup->path);
	if (r)
		return r;
	if (fstat(folder, &st) < 0)
		return -errno;
	cgroup->device = st.st_dev;
	cgroup->inode = st.st_ino;
	cgroup->in_stat = version == 2;
	/* Of version 1, cpu has a cpu.stat too, without CPU time. */
	*ret_why = version == 2
			   ? "has no cpu.stat"
			   : "has no cpuacct.usage; of version 1 give the folder beneath cpuacct";
	cgroup->usage_fd = openat(folder, cgroup->in_stat ? "cpu.stat" : "cpuacct.usage",
				  O_RDONLY | O_CLOEXEC);
	return cgroup->usage_fd < 0 ? -errno : 0;
}

int scaph_cgroup_open(const char *root, const char *path, struct scaph_cgroup *ret_cgroup,
		      const char **ret_why)
{
	struct scaph_cgroup cgroup = { .usage_fd = -1 };
	int folder = open_folder(root, path), r;

	if (folder < 0) {
		*ret_why = errno == ENOENT ? "is not there; create it first, or correct the path"
					   : strerror(errno);
		return -errno;
	}
	r = open_in(folder, &cgroup, ret_why);
	close(folder);
	if (r == 0)
		*ret_cgroup = cgroup;
	return r;
}

void scaph_cgroup_close(struct scaph_cgroup *cgroup)
{
	if (cgroup->usage_fd >= 0)
		close(cgroup->usage_fd);
	cgroup->usage_fd = -1;
}

static bool contains(const char *outer, const char *inner)
{
	size_t length = strlen(outer);

	return strncmp(outer, inner, length) == 0 && (inner[length] == '/' || !inner[length]);
}

bool scaph_cgroup_overlap(const struct scaph_cgroup *a, const struct scaph_cgroup *b)
{
	return contains(a->path, b->path) || contains(b->path, a->path);
}

/* Whether a line of /proc/PID/cgroup is of the hierarchy that counts time here, and the path in it. */
static char *path_in(char *line, bool version2)
{
	char *controllers = strchr(line, ':'),
	     *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return NULL;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	if (version2)
		return controllers[1] == '\0' ? path : NULL;
	return strstr(controllers, "cpuacct") ? path : NULL;
}

bool scaph_cgroup_holds(const struct scaph_cgroup *cgroup, pid_t pid)
{
	char name[64], line[PATH_MAX];
	bool holds = false;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	file = fopen(name, "re");
	/* ID:CONTROLLERS:/PATH, the path as it stands beneath the mount: proc(5), cgroups(7). */
	while (file && !holds && fgets(line, sizeof(line), file)) {
		const char *inner = path_in(line, cgroup->in_stat);

		/* Where the mount's part of the group's path ends is not told: any end of it may be meant. */
		for (const char *end = strchr(cgroup->path + 1, '/'); inner && end && !holds;
		     end = strchr(end + 1, '/'))
			holds = contains(end, inner);
	}
	if (file)
		fclose(file);
	return holds;
}
