/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter.c - the list of meters, and the choice by name
 */
#include "producer/meter/meter.h"

#include <errno.h>
#include <string.h>

#include "producer/process/log.h"

static const struct scaph_meter_ops *const meters[] = {
	&scaph_meter_cputime,
};

int scaph_meter_open(const struct scaph_config *config, const struct scaph_topology *topology,
		     struct scaph_meter **ret_meter)
{
	for (size_t i = 0; i < sizeof(meters) / sizeof(meters[0]); i++) {
		if (strcmp(meters[i]->name, config->meter) == 0)
			return meters[i]->open(config, topology, ret_meter);
	}
	scaph_error("--meter %s: no such meter in this version; use cputime", config->meter);
	return -EINVAL;
}
