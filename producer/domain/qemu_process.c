/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_process.c - PID files and command lines
 */
#include "producer/domain/qemu_process.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two words of its command line, which may be long: it is read word by word. */
bool scaph_qemu_process_is(pid_t pid, const char *uuid)
{
	bool named = false, found = false;
	char path[64], *word = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getdelim(&word, &size, '\0', file) > 0) {
		found = named && strcmp(word, uuid) == 0;
		named = strcmp(word, "-uuid") == 0;
	}
	free(word);
	fclose(file);
	return found;
}

static int read_pid(const char *path, pid_t *ret_pid)
{
	FILE *file = fopen(path, "re");
	char text[32] = "", *end;
	long pid;

	if (!file)
		return -errno;
	/* An empty one is being written. */
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	pid = strtol(text, &end, 10);
	if (end == text || pid <= 0 || pid > INT32_MAX)
		return -ENOENT;
	*ret_pid = (pid_t)pid;
	return 0;
}

/*
 * libvirt writes a name into its path as if it were XML: R&D has R&amp;D.pid. Its other files have the
 * name as it is. Source: virPidFileBuildPath() calls virBufferEscapeString(), libvirt 9.0.
 */
static int build_path(const char *run_dir, const char *name, char *ret_path, size_t size)
{
	static const struct {
		char plain;
		const char *text;
	} escapes[] = {
		{ '<', "&lt;" },   { '>', "&gt;" },    { '&', "&amp;" },
		{ '"', "&quot;" }, { '\'', "&apos;" },
	};
	char one[2] = "";
	FILE *out = fmemopen(ret_path, size, "w");
	bool good;

	if (!out)
		return -errno;
	fprintf(out, "%s/", run_dir);
	for (const char *at = name; *at; at++) {
		const char *text = one;

		one[0] = *at;
		for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
			if (*at == escapes[i].plain)
				text = escapes[i].text;
		}
		fputs(text, out);
	}
	fputs(".pid", out);
	good = fflush(out) == 0 && ftell(out) < (long)size;
	fclose(out);
	return good ? 0 : -ENAMETOOLONG;
}

int scaph_qemu_process_find(const char *run_dir, const char *name, const char *uuid, pid_t *ret_pid)
{
	char path[PATH_MAX];
	pid_t pid = 0;
	int r;

	/* libvirt takes no such name; with one the path would lead elsewhere. */
	if (strchr(name, '/'))
		return -EINVAL;
	r = build_path(run_dir, name, path, sizeof(path));
	if (r == 0)
		r = read_pid(path, &pid);
	if (r)
		return r;
	if (!scaph_qemu_process_is(pid, uuid))
		return -ESRCH;
	*ret_pid = pid;
	return 0;
}
