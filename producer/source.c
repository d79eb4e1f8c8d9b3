/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.c - the list of sources, and the choice by name
 */
#include "producer/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "producer/log.h"

static const struct scaph_source_ops *const sources[] = {
	&scaph_source_model,
	&scaph_source_replay,
};
#define SOURCES (sizeof(sources) / sizeof(sources[0]))

static const char *const zone_words[SCAPH_ZONES] = { "package", "core", "uncore", "dram", "psys" };

const char *scaph_source_zone_word(int zone)
{
	return zone_words[zone];
}

int scaph_source_zone_of(const char *word)
{
	for (int i = 0; i < SCAPH_ZONES; i++) {
		if (strcmp(word, zone_words[i]) == 0)
			return i;
	}
	return -1;
}

/* "A, or B, or C": what may be asked for. */
static void list_usages(char *ret_text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < SOURCES && used < size; i++)
		used += (size_t)snprintf(ret_text + used, size - used, "%s%s", i ? ", or " : "",
					 sources[i]->usage);
}

int scaph_source_open(const struct scaph_config *config, const struct scaph_topology *topology,
		      struct scaph_source **ret_source)
{
	const char *name = config->source, *colon;
	char text[256], why[SCAPH_SOURCE_WHY_BYTES] = "";
	size_t length;
	int r;

	list_usages(text, sizeof(text));
	if (!name) {
		scaph_error("no energy source; none is taken unasked: give %s", text);
		return -EINVAL;
	}
	colon = strchr(name, ':');
	length = colon ? (size_t)(colon - name) : strlen(name);
	for (size_t i = 0; i < SOURCES; i++) {
		if (strlen(sources[i]->name) != length ||
		    strncmp(sources[i]->name, name, length) != 0)
			continue;
		r = sources[i]->open(config, topology, colon ? colon + 1 : NULL, ret_source, why);
		if (r && *why)
			scaph_error("%s %s: %s", scaph_config_origin(config, "source"), name, why);
		return r;
	}
	scaph_error("%s %s: no such source in this version; give %s",
		    scaph_config_origin(config, "source"), name, text);
	return -EINVAL;
}
