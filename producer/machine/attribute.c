/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attribute.c - reading sysfs attributes, and the kernel's lists of CPUs
 */
#include "producer/machine/attribute.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "producer/config/quantity.h"

int scaph_attribute_read(const char *path, char *ret_text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t count;

	if (fd < 0)
		return -errno;
	count = read(fd, ret_text, size);
	if (count < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	close(fd);
	if ((size_t)count == size)
		return -EMSGSIZE;
	ret_text[count] = '\0';
	ret_text[strcspn(ret_text, "\n")] = '\0';
	return 0;
}

int scaph_attribute_number(const char *path, uint64_t *ret_number)
{
	char text[32];
	int r = scaph_attribute_read(path, text, sizeof(text));

	return r ? r : scaph_quantity_number(text, ret_number);
}

/* A number at *@at, which is moved behind it. */
static int take_cpu(const char **at, uint32_t *ret_cpu)
{
	uint32_t cpu = 0;

	if (**at < '0' || **at > '9')
		return -EINVAL;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		cpu = 10 * cpu + (uint32_t)(**at - '0');
		if (cpu >= SCAPH_CPUS_MAX)
			return -ERANGE;
	}
	*ret_cpu = cpu;
	return 0;
}

static int parse(const char *at, bool set[SCAPH_CPUS_MAX])
{
	while (*at) {
		uint32_t first, last;
		int r = take_cpu(&at, &first);

		last = first;
		if (r == 0 && *at == '-') {
			at++;
			r = take_cpu(&at, &last);
		}
		if (r == 0 && (last < first || (*at && *at != ',') || (*at && !at[1])))
			r = -EINVAL;
		if (r)
			return r;
		for (uint32_t cpu = first; cpu <= last; cpu++)
			set[cpu] = true;
		at += *at == ',';
	}
	return 0;
}

int scaph_attribute_parse_cpus(const char *text, bool ret_set[SCAPH_CPUS_MAX])
{
	bool set[SCAPH_CPUS_MAX] = {};
	int r;

	text += strspn(text, " ");
	r = strcmp(text, "(null)") == 0 ? 0 : parse(text, set);
	if (r == 0)
		memcpy(ret_set, set, sizeof(set));
	return r;
}

int scaph_attribute_cpus(const char *path, bool ret_set[SCAPH_CPUS_MAX])
{
	char text[SCAPH_ATTRIBUTE_BYTES + 1];
	int r = scaph_attribute_read(path, text, sizeof(text));

	return r ? r : scaph_attribute_parse_cpus(text, ret_set);
}
