/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_model.c - an estimate: the machine's busy time between two given powers
 *
 * E = IDLE * t + (FULL - IDLE) * busy / CPUs. Never chosen by itself; estimated in every record.
 *
 * Busy time comes in steps of USER_HZ, so a short window can show more of it than its CPUs can have
 * spent. What is too much is kept for the next reading: no window shows more than FULL, and no busy
 * time is lost.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/process/clock.h"
#include "producer/machine/hoststat.h"
#include "producer/process/tick.h"
#include "producer/source/source.h"

struct package {
	uint64_t last_busy_ns; /* the greatest that /proc/stat has shown */
	uint64_t owed_ns; /* busy time not yet counted */
	uint64_t last_ns;
	bool begun;
	unsigned __int128 energy; /* in microwatts x nanoseconds x CPUs */
};

struct model {
	struct scaph_source source;
	struct scaph_hoststat stat;
	uint64_t span_uw; /* FULL - IDLE */
	const struct scaph_topology *topology;
	uint64_t tick_ns;
	pthread_mutex_t lock; /* the stat is all packages', with what it showed last */
	uint64_t looked_ns;
	uint64_t busy_ns[SCAPH_PACKAGES_MAX];
	struct package package[SCAPH_PACKAGES_MAX];
};

static int model_open(const struct scaph_config *config, const struct scaph_topology *topology,
		      const char *argument, struct scaph_source **ret_source,
		      char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct model *model;
	int r;

	if (argument || !config->model_given) {
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "it needs --model-watts IDLE:FULL, this machine's power in watts when "
			 "idle and "
			 "busy");
		return -EINVAL;
	}
	model = calloc(1, sizeof(*model));
	if (!model)
		return -ENOMEM;
	r = scaph_hoststat_open(config->procfs, topology, &model->stat);
	if (r) {
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%s/stat: %s", config->procfs,
			 strerror(-r));
		free(model);
		return r;
	}
	pthread_mutex_init(&model->lock, NULL);
	model->tick_ns = scaph_tick_ns();
	model->topology = topology;
	model->span_uw = config->model_full_uw - config->model_idle_uw;
	model->source = (struct scaph_source){
		.ops = &scaph_source_model,
		.zones = SCAPH_ZONE_PACKAGE,
		.estimated = true,
		.idle_known = true,
		.idle_uw = config->model_idle_uw,
		.packages = topology->packages,
	};
	for (uint32_t p = 0; p < topology->packages; p++) {
		model->source.package[p].zones = SCAPH_ZONE_PACKAGE;
		model->source.package[p].counter[SCAPH_ZONE_AT_PACKAGE].step_units =
			SCAPH_UNITS_PER_UJ;
	}
	snprintf(model->source.about, sizeof(model->source.about),
		 "%g W idle to %g W with %u CPUs busy", (double)config->model_idle_uw / 1e6,
		 (double)config->model_full_uw / 1e6, topology->online);
	*ret_source = &model->source;
	return 0;
}

static void advance(const struct model *model, struct package *package, uint64_t cpus,
		    uint64_t busy_ns, uint64_t now_ns)
{
	uint64_t dt_ns, counted_ns;

	if (!package->begun) {
		package->begun = true;
		package->last_ns = now_ns;
		package->last_busy_ns = busy_ns;
	}
	if (busy_ns > package->last_busy_ns) {
		package->owed_ns += busy_ns - package->last_busy_ns;
		package->last_busy_ns = busy_ns;
	}
	dt_ns = now_ns - package->last_ns;
	counted_ns = package->owed_ns < dt_ns * cpus ? package->owed_ns : dt_ns * cpus;
	package->owed_ns -= counted_ns;
	package->last_ns = now_ns;
	/* Idle power is shared equally by the packages, the rest by all CPUs. */
	package->energy += (unsigned __int128)model->source.idle_uw * dt_ns *
				   model->topology->online / model->topology->packages +
			   (unsigned __int128)model->span_uw * counted_ns;
}

static int model_read(struct scaph_source *source, uint32_t package, uint64_t now_ns,
		      uint64_t raw[SCAPH_ZONES])
{
	struct model *model = (struct model *)source;
	const struct scaph_topology *topology = model->topology;
	uint64_t busy_ns;
	int r = 0;

	pthread_mutex_lock(&model->lock);
	/* It moves in ticks: to look more often costs, and shows nothing. */
	if (!model->looked_ns || now_ns - model->looked_ns >= model->tick_ns) {
		r = scaph_hoststat_busy_ns(&model->stat, model->busy_ns);
		model->looked_ns = r ? 0 : now_ns;
	}
	busy_ns = model->busy_ns[package];
	pthread_mutex_unlock(&model->lock);
	if (r)
		return r;
	advance(model, &model->package[package], topology->package[package].cpus, busy_ns, now_ns);
	raw[SCAPH_ZONE_AT_PACKAGE] =
		(uint64_t)(model->package[package].energy / topology->online / SCAPH_NS_PER_S);
	return 0;
}

static void model_close(struct scaph_source *source)
{
	struct model *model = (struct model *)source;

	scaph_hoststat_close(&model->stat);
	pthread_mutex_destroy(&model->lock);
	free(model);
}

const struct scaph_source_ops scaph_source_model = {
	.name = "model",
	.id = SCAPH_SOURCE_MODEL,
	.usage = "--source model --model-watts IDLE:FULL (an estimate from CPU load)",
	.open = model_open,
	.read = model_read,
	.close = model_close,
};
