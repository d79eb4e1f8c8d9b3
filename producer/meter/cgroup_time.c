/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_time.c - reading cpuacct.usage and cpu.stat
 */
#include "producer/meter/cgroup_time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_US 1000U
#define USAGE "usage_usec "

int scaph_cgroup_time_ns(int fd, bool in_stat, uint64_t *ret_ns)
{
	const char *figure;
	char text[512], *end;
	uint64_t value;
	ssize_t got;

	got = pread(fd, text, sizeof(text) - 1, 0);
	if (got < 0)
		return -errno;
	text[got] = '\0';
	/* The first line of a cpu.stat, but that is promised nowhere. */
	figure = in_stat ? strstr(text, USAGE) : text;
	if (!figure)
		return -EIO;
	figure += in_stat ? strlen(USAGE) : 0;
	value = strtoull(figure, &end, 10);
	if (end == figure)
		return -EIO;
	*ret_ns = in_stat ? value * NS_PER_US : value;
	return 0;
}
