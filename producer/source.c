/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.c - the list of sources, and the choice by name
 */
#include "producer/source.h"

#include <errno.h>
#include <string.h>

#include "producer/log.h"

static const struct scaph_source_ops *const sources[] = {
	&scaph_source_model,
	&scaph_source_replay,
};

int scaph_source_open(const struct scaph_config *config, struct scaph_source **ret_source)
{
	const char *name = config->source, *colon;
	size_t length;

	if (!name) {
		scaph_error("no energy source; give --source model --model-watts IDLE:FULL (an "
			    "estimate), or "
			    "--source replay:FILE");
		return -EINVAL;
	}
	colon = strchr(name, ':');
	length = colon ? (size_t)(colon - name) : strlen(name);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (strlen(sources[i]->name) == length &&
		    strncmp(sources[i]->name, name, length) == 0)
			return sources[i]->open(config, colon ? colon + 1 : NULL, ret_source);
	}
	scaph_error("--source %s: no such source in this version; use model or replay:FILE", name);
	return -EINVAL;
}
