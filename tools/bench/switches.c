/* SPDX-License-Identifier: Apache-2.0 */
/*
 * switches.c - /proc/sys/kernel/bpf_stats_enabled and /proc/PID/fdinfo
 *
 * Source: Linux, kernel/bpf/syscall.c, bpf_prog_show_fdinfo().
 */
#include "tools/bench/switches.h"

#include <inttypes.h>
#include <stdio.h>

#define FDS_MAX 256
#define TRACING 26U /* BPF_PROG_TYPE_TRACING: the one at switches; a kick is of another type */

bool bench_switches_count(int on, int *before)
{
	FILE *file = fopen("/proc/sys/kernel/bpf_stats_enabled", "r+e");

	if (!file)
		return false;
	if (fscanf(file, "%d", before) != 1)
		*before = 0;
	rewind(file);
	fprintf(file, "%d", on);
	return fclose(file) == 0;
}

static bool read_fd(pid_t pid, int fd, struct bench_switches *ret)
{
	struct bench_switches found = {};
	unsigned int type = 0;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "prog_type: %u", &type);
		sscanf(line, "run_time_ns: %" SCNu64, &found.time_ns);
		sscanf(line, "run_cnt: %" SCNu64, &found.runs);
	}
	if (file)
		fclose(file);
	if (type != TRACING || !found.runs)
		return false;
	*ret = found;
	return true;
}

bool bench_switches_read(pid_t pid, struct bench_switches *ret_switches)
{
	for (int fd = 0; fd < FDS_MAX; fd++) {
		if (read_fd(pid, fd, ret_switches))
			return true;
	}
	return false;
}
