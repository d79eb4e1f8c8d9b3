/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter.c - the list of meters, the best first, and the choice by name
 */
#include "producer/meter/meter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "producer/process/log.h"

static const struct scaph_meter_ops *const meters[] = {
	&scaph_meter_bpf,
	&scaph_meter_cputime,
};
#define METERS (sizeof(meters) / sizeof(meters[0]))

/* The first that can be had; what is said of those before it stays with it. */
static int open_first(const struct scaph_config *config, const struct scaph_topology *topology,
		      struct scaph_meter **ret_meter)
{
	char why[SCAPH_METER_WHY_BYTES], others[sizeof((*ret_meter)->others)] = "";
	int r = -ENODEV;

	for (size_t i = 0; i < METERS; i++) {
		r = meters[i]->open(config, topology, ret_meter, why);
		if (r == 0) {
			memcpy((*ret_meter)->others, others, sizeof(others));
			return 0;
		}
		snprintf(others, sizeof(others), "%s: no: %s", meters[i]->name, why);
	}
	scaph_error("--meter auto: %s", others);
	return r;
}

int scaph_meter_open(const struct scaph_config *config, const struct scaph_topology *topology,
		     struct scaph_meter **ret_meter)
{
	char why[SCAPH_METER_WHY_BYTES];

	if (strcmp(config->meter, "auto") == 0)
		return open_first(config, topology, ret_meter);
	for (size_t i = 0; i < METERS; i++) {
		int r;

		if (strcmp(meters[i]->name, config->meter) != 0)
			continue;
		r = meters[i]->open(config, topology, ret_meter, why);
		if (r)
			scaph_error("%s %s: %s", scaph_config_origin(config, "meter"),
				    meters[i]->name, why);
		return r;
	}
	scaph_error("%s %s: no such meter in this version; use auto, bpf or cputime",
		    scaph_config_origin(config, "meter"), config->meter);
	return -EINVAL;
}

int scaph_meter_enter(struct scaph_meter *meter, struct scaph_reading *reading)
{
	return meter->ops->enter ? meter->ops->enter(meter, reading) : 0;
}

void scaph_meter_leave(struct scaph_meter *meter, struct scaph_reading *reading)
{
	if (meter->ops->leave)
		meter->ops->leave(meter, reading);
}

void scaph_meter_tend(struct scaph_meter *meter)
{
	if (meter->ops->tend)
		meter->ops->tend(meter);
}
