/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retinue.c - control groups of machines
 *
 * Source: libvirt, "Control Groups Resource Management": machine-qemu\x2dID\x2dNAME.scope, or
 * NAME.libvirt-qemu without systemd; emulator, vcpuN, iothreadN below. Proxmox: qemu.slice/VMID.scope.
 */
#include "producer/meter/bpf/retinue.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STRANGERS_MAX 256U /* of a group of who knows whom that are asked for their name */
#define DEPTH_MAX 4 /* scope, libvirt, emulator and one to spare */

struct search {
	const char *sysfs, *procfs;
	pid_t pid;
	bool vhost;
	bool whole; /* the group is this machine's alone */
	uint32_t strangers;
	uint32_t count;
	pid_t *pids;
};

static bool ends_with(const char *word, size_t length, const char *end)
{
	size_t end_length = strlen(end);

	return length >= end_length && memcmp(word + length - end_length, end, end_length) == 0;
}

/* Length of a group's path up to the group that one machine has for itself; 0: there is none. */
static size_t machine_length(const char *path)
{
	bool proxmox = false;

	for (const char *at = path; *at;) {
		const char *word = at + (*at == '/');
		size_t length = strcspn(word, "/");

		if ((strncmp(word, "machine-qemu", 12) == 0 && ends_with(word, length, ".scope")) ||
		    ends_with(word, length, ".libvirt-qemu") ||
		    (proxmox && ends_with(word, length, ".scope")))
			return (size_t)(word + length - path);
		proxmox = length == 10 && strncmp(word, "qemu.slice", 10) == 0;
		at = word + length;
	}
	return 0;
}

static bool named_after(const struct search *search, pid_t pid)
{
	char path[PATH_MAX], comm[32] = "", wanted[32];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d/comm", search->procfs, (int)pid);
	snprintf(wanted, sizeof(wanted), "vhost-%d\n", (int)search->pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	fclose(file);
	return strcmp(comm, wanted) == 0;
}

static void take(struct search *search, pid_t pid)
{
	if (pid <= 0 || pid == search->pid || search->count == SCAPH_RETINUE_MAX)
		return;
	for (uint32_t i = 0; i < search->count; i++) {
		if (search->pids[i] == pid)
			return;
	}
	if (search->whole || (search->strangers++ < STRANGERS_MAX && named_after(search, pid)))
		search->pids[search->count++] = pid;
}

/* Groups of threads tell no processes: those above them do. */
static void take_members(struct search *search, int group_fd)
{
	int fd = openat(group_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[32];

	if (!file) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (fgets(line, sizeof(line), file))
		take(search, (pid_t)atol(line));
	fclose(file);
}

/* The group's descriptor is closed. */
static void descend(struct search *search, int group_fd, int depth)
{
	struct dirent *entry;
	DIR *folder;

	take_members(search, group_fd);
	folder = search->whole && depth < DEPTH_MAX ? fdopendir(group_fd) : NULL;
	if (!folder) {
		close(group_fd);
		return;
	}
	while ((entry = readdir(folder))) {
		int fd;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		fd = openat(group_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			descend(search, fd, depth + 1);
	}
	closedir(folder);
}

/* Where a hierarchy is mounted: version 2 alone, or beside version 1. */
static int open_group(const struct search *search, const char *controllers, const char *path)
{
	static const char *const unified[] = { "", "/unified" };
	char full[PATH_MAX];
	int fd = -1;

	for (int i = 0; i < 2 && fd < 0; i++) {
		if (*controllers)
			snprintf(full, sizeof(full), "%s/fs/cgroup/%s%s", search->sysfs,
				 controllers, path);
		else
			snprintf(full, sizeof(full), "%s/fs/cgroup%s%s", search->sysfs, unified[i],
				 path);
		fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd;
}

/* "4:cpu,cpuacct:/machine.slice/..." */
static bool search_line(struct search *search, char *line)
{
	char *controllers = strchr(line, ':'), *path;
	size_t length;
	int fd;

	line[strcspn(line, "\n")] = '\0';
	path = controllers ? strchr(controllers + 1, ':') : NULL;
	/* A named hierarchy is its owner's book-keeping, and not where machines are put. */
	if (!path || strncmp(controllers, ":name=", 6) == 0)
		return false;
	*path++ = '\0';
	length = machine_length(path);
	search->whole = length > 0;
	if (search->whole)
		path[length] = '\0';
	else if (!search->vhost)
		return false;
	fd = open_group(search, controllers + 1, path);
	if (fd < 0)
		return false;
	descend(search, fd, 0);
	return search->whole;
}

uint32_t scaph_retinue_find(const char *sysfs, const char *procfs, bool vhost, pid_t pid,
			    pid_t ret_pids[SCAPH_RETINUE_MAX])
{
	struct search search = {
		.sysfs = sysfs, .procfs = procfs, .vhost = vhost, .pid = pid, .pids = ret_pids
	};
	char path[PATH_MAX], line[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d/cgroup", procfs, (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && !search_line(&search, line))
		;
	fclose(file);
	return search.count;
}
