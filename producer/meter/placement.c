/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placement.c - the threads of a process in /proc/PID/task
 *
 * Source: proc(5), "/proc/pid/stat": fields 14 utime, 15 stime, 39 processor.
 */
#include "producer/meter/placement.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UTIME_FIELD 14
#define PROCESSOR_FIELD 39

/* CPU time of a thread in ticks and the CPU it last ran on; false: it is gone. */
static bool read_thread(int task_fd, const char *tid, uint64_t *ret_ticks, unsigned long *ret_cpu)
{
	char name[NAME_MAX + 8], line[1024], *at;
	ssize_t got;
	int fd;

	snprintf(name, sizeof(name), "%s/stat", tid);
	fd = openat(task_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[got > 0 ? got : 0] = '\0';
	/* The second field is the command in parentheses, which may hold anything. */
	at = strrchr(line, ')');
	for (int field = 2; at && field < UTIME_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	*ret_ticks = strtoull(at, &at, 10);
	*ret_ticks += strtoull(at, &at, 10);
	for (int field = UTIME_FIELD + 2; at && field < PROCESSOR_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	*ret_cpu = strtoul(at, NULL, 10);
	return true;
}

/* Ticks of a thread since the last look; one seen first counts from its birth. */
static uint64_t new_ticks(struct scaph_placement *placement, pid_t tid, uint64_t ticks)
{
	uint32_t i;

	for (i = 0; i < placement->threads; i++) {
		if (placement->thread[i].tid == tid) {
			uint64_t before = placement->thread[i].ticks;

			placement->thread[i].ticks = ticks;
			return ticks > before ? ticks - before : 0;
		}
	}
	if (i < SCAPH_PLACEMENT_THREADS) {
		placement->thread[i].tid = tid;
		placement->thread[i].ticks = ticks;
		placement->threads++;
	}
	return ticks;
}

static void look_at_threads(struct scaph_placement *placement,
			    const struct scaph_topology *topology, DIR *task,
			    uint64_t weight[SCAPH_PACKAGES_MAX])
{
	struct dirent *entry;
	uint32_t seen = 0;

	while (seen < SCAPH_PLACEMENT_THREADS && (entry = readdir(task))) {
		pid_t tid = (pid_t)atol(entry->d_name);
		unsigned long cpu;
		uint64_t ticks;

		if (tid <= 0 || !read_thread(dirfd(task), entry->d_name, &ticks, &cpu))
			continue;
		seen++;
		if (cpu < topology->cpus && topology->package_of[cpu] != SCAPH_PACKAGE_NONE)
			weight[topology->package_of[cpu]] += new_ticks(placement, tid, ticks);
	}
	/* Threads come and go: a table that is full of dead ones begins anew. */
	if (placement->threads == SCAPH_PLACEMENT_THREADS && seen < SCAPH_PLACEMENT_THREADS)
		placement->threads = 0;
}

void scaph_placement_look(struct scaph_placement *placement, const struct scaph_topology *topology,
			  const char *procfs, pid_t pid, uint64_t now_ns)
{
	uint64_t weight[SCAPH_PACKAGES_MAX] = {}, sum = 0;
	char path[PATH_MAX];
	DIR *task;

	snprintf(path, sizeof(path), "%s/%d/task", procfs, (int)pid);
	task = opendir(path);
	placement->looked_ns = now_ns;
	if (!task)
		return;
	look_at_threads(placement, topology, task, weight);
	closedir(task);
	for (uint32_t p = 0; p < topology->packages; p++)
		sum += weight[p];
	/* One that slept stays where it was. */
	if (sum)
		memcpy(placement->weight, weight, sizeof(weight));
}

void scaph_placement_divide(const struct scaph_placement *placement, uint32_t packages,
			    uint64_t cpu_ns, uint64_t ret_package_ns[SCAPH_PACKAGES_MAX])
{
	uint64_t sum = 0, left_ns = cpu_ns;
	uint32_t last = 0;

	for (uint32_t p = 0; p < packages; p++) {
		sum += placement->weight[p];
		if (placement->weight[p])
			last = p;
	}
	for (uint32_t p = 0; p < packages; p++) {
		ret_package_ns[p] = 0;
		if (sum && p != last)
			ret_package_ns[p] =
				(uint64_t)((unsigned __int128)cpu_ns * placement->weight[p] / sum);
		left_ns -= ret_package_ns[p];
	}
	ret_package_ns[last] = left_ns;
}
