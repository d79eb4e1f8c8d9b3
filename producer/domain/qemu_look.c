/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_look.c - exe, status, cmdline and stat of one process
 *
 * All are read beneath a descriptor of its folder, which never becomes that of another process with
 * its number. Its users are read before and after: one that changes into another meanwhile is nobody's.
 *
 * Source: proc(5).
 */
#include "producer/domain/qemu_look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CMDLINE_MAX (1U << 20)
#define DELETED " (deleted)"

bool scaph_qemu_executable(const char *exe)
{
	static const char *const folders[] = { "/usr/bin/", "/usr/libexec/", "/usr/local/bin/" };
	static const char system[] = "qemu-system-";
	size_t length = strlen(exe), gone = strlen(DELETED);
	char name[64];

	if (length > gone && strcmp(exe + length - gone, DELETED) == 0)
		length -= gone;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		size_t folder = strlen(folders[i]);

		if (length <= folder || length - folder >= sizeof(name) ||
		    memcmp(exe, folders[i], folder) != 0)
			continue;
		memcpy(name, exe + folder, length - folder);
		name[length - folder] = '\0';
		return strcmp(name, "kvm") == 0 || strcmp(name, "qemu-kvm") == 0 ||
		       (strncmp(name, system, strlen(system)) == 0 &&
			name[strlen(system)] != '\0' && !strchr(name, '/'));
	}
	return false;
}

static int is_machine(int fd, const char *path)
{
	char exe[PATH_MAX];
	ssize_t length = readlinkat(fd, path, exe, sizeof(exe) - 1);

	if (length < 0)
		return errno == EACCES || errno == EPERM ? -EACCES : 0;
	exe[length] = '\0';
	return scaph_qemu_executable(exe);
}

int scaph_qemu_look_is(int proc_fd, const char *pid)
{
	char path[32];

	snprintf(path, sizeof(path), "%s/exe", pid);
	return is_machine(proc_fd, path);
}

/* All that fits, ended by a NUL: its length, or a negative errno. */
static ssize_t read_file(int folder, const char *name, char *ret_text, size_t size)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t got = 0, length = 0;

	if (fd < 0)
		return -errno;
	while ((size_t)length < size - 1 &&
	       (got = read(fd, ret_text + length, size - 1 - (size_t)length)) > 0)
		length += got;
	if (got < 0)
		length = -errno;
	close(fd);
	if (length >= 0)
		ret_text[length] = '\0';
	return length;
}

bool scaph_qemu_look_seems(int proc_fd, const char *pid)
{
	char path[32], name[64];

	snprintf(path, sizeof(path), "%s/comm", pid);
	return read_file(proc_fd, path, name, sizeof(name)) > 0 &&
	       (strncmp(name, "qemu-", strlen("qemu-")) == 0 || strcmp(name, "kvm\n") == 0);
}

/* The second field is the command in parentheses, which may hold anything. */
static int read_stat(int folder, const char *name, pid_t *ret_parent, uint64_t *ret_birth)
{
	char line[2048], *at;
	ssize_t length = read_file(folder, name, line, sizeof(line));
	unsigned long long birth;
	int parent;

	if (length < 0)
		return (int)length;
	at = strrchr(line, ')');
	if (!at || sscanf(at + 1,
			  " %*c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			  "%*s %*s %llu",
			  &parent, &birth) != 2)
		return -EIO;
	*ret_parent = parent;
	*ret_birth = birth;
	return 0;
}

int scaph_qemu_look_birth(int proc_fd, const char *pid, uint64_t *ret_ticks)
{
	char path[32];
	pid_t parent;

	snprintf(path, sizeof(path), "%s/stat", pid);
	return read_stat(proc_fd, path, &parent, ret_ticks);
}

static bool is_trusted(const struct scaph_qemu_users *users, unsigned int user)
{
	for (uint32_t i = 0; i < users->count; i++) {
		if (users->user[i] == user)
			return true;
	}
	return false;
}

/*
 * Real, effective, saved and file system's, all of them: one that only runs as another may be turned
 * by whoever started it.
 */
static int read_users(int folder, const struct scaph_qemu_users *users, uid_t *ret_user,
		      bool *ret_trusted)
{
	char text[4096], *line;
	unsigned int id[4];
	ssize_t length = read_file(folder, "status", text, sizeof(text));

	if (length < 0)
		return (int)length;
	line = strstr(text, "\nUid:");
	if (!line || sscanf(line, "\nUid: %u %u %u %u", &id[0], &id[1], &id[2], &id[3]) != 4)
		return -EIO;
	*ret_user = id[0];
	*ret_trusted = is_trusted(users, id[0]) && is_trusted(users, id[1]) &&
		       is_trusted(users, id[2]) && is_trusted(users, id[3]);
	return 0;
}

static int read_argv(int folder, const char *shm_dir, struct scaph_qemu_argv *ret_argv)
{
	char *bytes = malloc(CMDLINE_MAX);
	ssize_t length;

	if (!bytes)
		return -ENOMEM;
	length = read_file(folder, "cmdline", bytes, CMDLINE_MAX);
	if (length >= 0)
		scaph_qemu_argv_parse(bytes, (size_t)length, shm_dir, ret_argv);
	free(bytes);
	return length < 0 ? (int)length : 0;
}

static int look(int folder, const struct scaph_qemu_users *users, const char *shm_dir,
		struct scaph_qemu_find *find)
{
	bool still = false;
	uid_t user;
	int r = read_stat(folder, "stat", &find->parent, &find->birth_ticks);

	if (r == 0)
		r = read_users(folder, users, &find->user, &find->trusted);
	if (r || !find->trusted)
		return r;
	if (is_machine(folder, "exe") != 1)
		return -ESRCH;
	r = read_argv(folder, shm_dir, &find->argv);
	if (r == 0)
		r = read_users(folder, users, &user, &still);
	if (r == 0 && (!still || user != find->user))
		r = -ESRCH;
	return r;
}

int scaph_qemu_look(int proc_fd, const char *pid, const struct scaph_qemu_users *users,
		    const char *shm_dir, struct scaph_qemu_find *ret_find)
{
	struct scaph_qemu_find find = { .pid = (pid_t)strtol(pid, NULL, 10) };
	int folder = openat(proc_fd, pid, O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	if (folder < 0)
		return -errno;
	r = look(folder, users, shm_dir, &find);
	close(folder);
	if (r == 0)
		*ret_find = find;
	return r;
}
