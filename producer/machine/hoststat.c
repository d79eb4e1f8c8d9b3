/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hoststat.c - the CPU lines of /proc/stat
 *
 * Source: proc(5), "/proc/stat".
 */
#include "producer/machine/hoststat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "producer/process/clock.h"

#define LINE_BYTES 256U

enum column { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, COLUMNS };

int scaph_hoststat_open(const char *procfs, const struct scaph_topology *topology,
			struct scaph_hoststat *ret_stat)
{
	long hz = sysconf(_SC_CLK_TCK);
	struct scaph_hoststat stat = {
		.topology = topology,
		.tick_ns = SCAPH_NS_PER_S / (uint64_t)(hz > 0 ? hz : 100),
		.last_ticks = malloc(topology->cpus * sizeof(*stat.last_ticks)),
		.size = (topology->cpus + 2) * LINE_BYTES,
	};
	char path[PATH_MAX];

	stat.text = malloc(stat.size + 1);
	snprintf(path, sizeof(path), "%s/stat", procfs);
	stat.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (stat.fd < 0 || !stat.text || !stat.last_ticks) {
		int r = stat.fd < 0 ? -errno : -ENOMEM;

		scaph_hoststat_close(&stat);
		return r;
	}
	for (uint32_t cpu = 0; cpu < topology->cpus; cpu++)
		stat.last_ticks[cpu] = UINT64_MAX;
	*ret_stat = stat;
	return 0;
}

void scaph_hoststat_close(struct scaph_hoststat *stat)
{
	if (stat->fd >= 0)
		close(stat->fd);
	stat->fd = -1;
	free(stat->last_ticks);
	free(stat->text);
	stat->last_ticks = NULL;
	stat->text = NULL;
}

/* Busy ticks of one line behind its word; false: not such a line. */
static bool parse_line(char *at, uint64_t *ret_busy)
{
	uint64_t ticks[COLUMNS];

	for (int i = 0; i < COLUMNS; i++) {
		char *end;

		ticks[i] = strtoull(at, &end, 10);
		if (end == at)
			return false;
		at = end;
	}
	*ret_busy = ticks[USER] + ticks[NICE] + ticks[SYSTEM] + ticks[IRQ] + ticks[SOFTIRQ];
	return true;
}

static void add_cpu(struct scaph_hoststat *stat, unsigned long cpu, uint64_t busy)
{
	const struct scaph_topology *topology = stat->topology;
	uint16_t package;
	uint64_t *last;

	if (cpu >= topology->cpus)
		return;
	package = topology->package_of[cpu];
	/* One that was offline at the start: where there is one package it is that one's. */
	if (package == SCAPH_PACKAGE_NONE && topology->packages > 1)
		return;
	if (package == SCAPH_PACKAGE_NONE)
		package = 0;
	last = &stat->last_ticks[cpu];
	if (*last != UINT64_MAX && busy > *last)
		stat->busy_ticks[package] += busy - *last;
	if (*last == UINT64_MAX || busy > *last)
		*last = busy;
}

int scaph_hoststat_busy_ns(struct scaph_hoststat *stat, uint64_t ret_busy_ns[SCAPH_PACKAGES_MAX])
{
	ssize_t got = pread(stat->fd, stat->text, stat->size, 0);
	char *line = stat->text;

	if (got < 0)
		return -errno;
	line[got] = '\0';
	if (strncmp(line, "cpu ", 4) != 0)
		return -EIO;
	while ((line = strchr(line, '\n')) && strncmp(++line, "cpu", 3) == 0) {
		unsigned long cpu = strtoul(line + 3, &line, 10);
		uint64_t busy;

		if (parse_line(line, &busy))
			add_cpu(stat, cpu, busy);
	}
	for (uint32_t p = 0; p < stat->topology->packages; p++)
		ret_busy_ns[p] = stat->busy_ticks[p] * stat->tick_ns;
	return 0;
}
