/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_process.c - libvirt's PID files, checked against the process
 */
#include "producer/domain/qemu_process.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Whether a process is the QEMU of this UUID: a PID file may be an old one, and its number somebody
 * else's by now. Its command line has "-uuid", UUID.
 */
static bool is_qemu_of(pid_t pid, const char *uuid)
{
	char path[64], line[16384];
	const char *at, *end;
	size_t got;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	got = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[got] = '\0';
	end = line + got;
	for (at = line; at < end; at += strlen(at) + 1) {
		if (strcmp(at, "-uuid") == 0 && at + 6 < end && strcmp(at + 6, uuid) == 0)
			return true;
	}
	return false;
}

pid_t scaph_qemu_process_find(const char *run_dir, const char *name, const char *uuid)
{
	char path[PATH_MAX], text[32] = "";
	FILE *file;
	long pid;

	/* libvirt refuses such names; nothing of ours depends on it. */
	if (strchr(name, '/'))
		return 0;
	snprintf(path, sizeof(path), "%s/%s.pid", run_dir, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	pid = strtol(text, NULL, 10);
	return pid > 0 && pid <= INT32_MAX && is_qemu_of((pid_t)pid, uuid) ? (pid_t)pid : 0;
}
