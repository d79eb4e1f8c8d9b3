/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.c - the list of sources, the choice by name, and the choice among those that measure
 *
 * Every source that measures has to pass the rule of supported.h, whether it was named or found.
 * An estimate or a recording is never found: it is asked for by name. Nor is resctrl, though it
 * measures: who asks for nothing expects the packages' energy, which that does not have.
 */
#include "producer/source/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "producer/process/log.h"

/* Those that measure packages come first, in the order in which they are tried. */
static const struct scaph_source_ops *const sources[] = {
	&scaph_source_msr,    &scaph_source_perf, &scaph_source_powercap, &scaph_source_model,
	&scaph_source_replay, &scaph_source_ring, &scaph_source_resctrl,
};
#define SOURCES (sizeof(sources) / sizeof(sources[0]))
#define MEASURING 3

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

/* Text behind what stands there already; what does not fit is cut. */
static void append(char *text, size_t size, const char *a, const char *b)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", a, b);
}

void scaph_source_say(const struct scaph_source *source)
{
	char zones[64] = "";

	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		if (source->zones & 1U << zone)
			append(zones, sizeof(zones), " ", zone_words[zone]);
	}
	scaph_info("source %s: %s, zones%s; %s", source->ops->name, source->about, zones,
		   source->others);
}

static int open_first(const struct scaph_config *config, const struct scaph_topology *topology,
		      struct scaph_source **ret_source)
{
	char others[sizeof((*ret_source)->others)] = "", why[SCAPH_SOURCE_WHY_BYTES];

	for (size_t i = 0; i < MEASURING; i++) {
		if (sources[i]->open(config, topology, NULL, ret_source, why) == 0) {
			if (i + 1 < MEASURING)
				append(others, sizeof(others), *others ? "; " : "",
				       "the others were not needed");
			memcpy((*ret_source)->others, others, sizeof(others));
			return 0;
		}
		append(others, sizeof(others), *others ? "; not " : "not ", sources[i]->name);
		append(others, sizeof(others), ": ", why);
	}
	scaph_error("no energy source: %s; --source model --model-watts IDLE:FULL asks for an "
		    "estimate",
		    others);
	return -ENODEV;
}

static int open_named(const struct scaph_config *config, const struct scaph_topology *topology,
		      const struct scaph_source_ops *ops, const char *argument,
		      struct scaph_source **ret_source)
{
	char why[SCAPH_SOURCE_WHY_BYTES] = "";
	int r = ops->open(config, topology, argument, ret_source, why);

	if (r == 0)
		snprintf((*ret_source)->others, sizeof((*ret_source)->others),
			 "it was asked for by name");
	else if (*why)
		scaph_error("%s %s: %s", scaph_config_origin(config, "source"), config->source,
			    why);
	return r;
}

int scaph_source_open(const struct scaph_config *config, const struct scaph_topology *topology,
		      struct scaph_source **ret_source)
{
	const char *name = config->source, *colon = strchr(name, ':');
	size_t length = colon ? (size_t)(colon - name) : strlen(name);
	char usages[512];

	if (strcmp(name, "auto") == 0)
		return open_first(config, topology, ret_source);
	for (size_t i = 0; i < SOURCES; i++) {
		if (strlen(sources[i]->name) == length &&
		    strncmp(sources[i]->name, name, length) == 0)
			return open_named(config, topology, sources[i], colon ? colon + 1 : NULL,
					  ret_source);
	}
	list_usages(usages, sizeof(usages));
	scaph_error("%s %s: no such source in this version; give --source auto (the first of msr, "
		    "perf and powercap that measures), or %s",
		    scaph_config_origin(config, "source"), name, usages);
	return -EINVAL;
}
