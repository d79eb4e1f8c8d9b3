/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processor.c - the first block of /proc/cpuinfo
 */
#include "producer/machine/processor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/process/log.h"
#include "producer/config/quantity.h"

/* "key : value" of one line: the value if the key is this. */
static char *value_of(char *line, const char *key)
{
	char *colon = strchr(line, ':'), *value;
	size_t length;

	if (!colon)
		return NULL;
	length = (size_t)(colon - line);
	while (length && strchr(" \t", line[length - 1]))
		length--;
	if (length != strlen(key) || strncmp(line, key, length) != 0)
		return NULL;
	value = colon + 1 + strspn(colon + 1, " \t");
	value[strcspn(value, "\n")] = '\0';
	return value;
}

static enum scaph_vendor vendor_of(const char *word)
{
	if (strcmp(word, "GenuineIntel") == 0)
		return SCAPH_VENDOR_INTEL;
	if (strcmp(word, "AuthenticAMD") == 0)
		return SCAPH_VENDOR_AMD;
	return strcmp(word, "HygonGenuine") == 0 ? SCAPH_VENDOR_HYGON : SCAPH_VENDOR_OTHER;
}

static void take_line(char *line, struct scaph_topology *topology)
{
	const char *value;
	uint64_t number;

	value = value_of(line, "vendor_id");
	if (value)
		topology->vendor = vendor_of(value);
	value = value_of(line, "cpu family");
	if (value && scaph_quantity_number(value, &number) == 0)
		topology->family = (uint32_t)number;
	value = value_of(line, "model");
	if (value && scaph_quantity_number(value, &number) == 0)
		topology->model = (uint32_t)number;
}

static FILE *open_cpuinfo(const struct scaph_config *config, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/cpuinfo", config->procfs);
	return fopen(path, "re");
}

int scaph_processor_read(const struct scaph_config *config, struct scaph_topology *ret_topology)
{
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;
	FILE *file = open_cpuinfo(config, path);

	if (!file) {
		int r = -errno;

		scaph_error("%s: %s; mount proc there, or say with --procfs where it is", path,
			    strerror(-r));
		return r;
	}
	while (getline(&line, &size, file) > 0 && *line != '\n')
		take_line(line, ret_topology);
	free(line);
	fclose(file);
	return 0;
}

bool scaph_processor_has(const struct scaph_config *config, const char *flag)
{
	char path[PATH_MAX], *line = NULL, *rest, *word;
	size_t size = 0;
	bool found = false;
	FILE *file = open_cpuinfo(config, path);

	if (!file)
		return false;
	while (getline(&line, &size, file) > 0 && *line != '\n') {
		char *flags = value_of(line, "flags");

		word = flags ? strtok_r(flags, " ", &rest) : NULL;
		for (; word; word = strtok_r(NULL, " ", &rest))
			found |= strcmp(word, flag) == 0;
	}
	free(line);
	fclose(file);
	return found;
}
