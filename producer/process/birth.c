/* SPDX-License-Identifier: Apache-2.0 */
/*
 * birth.c - field 22 of /proc/PID/stat
 *
 * Source: proc(5), "/proc/pid/stat": starttime.
 */
#include "producer/process/birth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_FIELD 22

int scaph_birth_ticks(pid_t pid, uint64_t *ret_ticks)
{
	char path[64], line[2048], *at;
	size_t got;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	got = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[got] = '\0';
	/* The second field is the command in parentheses, which may hold anything. */
	at = strrchr(line, ')');
	for (int field = 2; at && field < START_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -EIO;
	*ret_ticks = strtoull(at, NULL, 10);
	return 0;
}
