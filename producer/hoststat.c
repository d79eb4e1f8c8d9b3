/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hoststat.c - the first line of /proc/stat
 *
 * Source: proc(5), "/proc/stat".
 */
#include "producer/hoststat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "producer/clock.h"

enum column { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, COLUMNS };

int scaph_hoststat_open(struct scaph_hoststat *ret_stat)
{
	long hz = sysconf(_SC_CLK_TCK);
	int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_stat = (struct scaph_hoststat){
		.fd = fd,
		.tick_ns = SCAPH_NS_PER_S / (uint64_t)(hz > 0 ? hz : 100),
	};
	return 0;
}

void scaph_hoststat_close(struct scaph_hoststat *stat)
{
	if (stat->fd >= 0)
		close(stat->fd);
	stat->fd = -1;
}

int scaph_hoststat_busy_ns(struct scaph_hoststat *stat, uint64_t *ret_busy_ns)
{
	uint64_t ticks[COLUMNS];
	char line[256], *at = line + 4;
	ssize_t got = pread(stat->fd, line, sizeof(line) - 1, 0);

	if (got < 0)
		return -errno;
	line[got] = '\0';
	if (strncmp(line, "cpu ", 4) != 0)
		return -EIO;
	for (int i = 0; i < COLUMNS; i++) {
		char *end;

		ticks[i] = strtoull(at, &end, 10);
		if (end == at)
			return -EIO;
		at = end;
	}
	*ret_busy_ns = (ticks[USER] + ticks[NICE] + ticks[SYSTEM] + ticks[IRQ] + ticks[SOFTIRQ]) *
		       stat->tick_ns;
	return 0;
}
