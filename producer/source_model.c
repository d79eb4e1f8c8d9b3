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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "producer/clock.h"
#include "producer/hoststat.h"
#include "producer/log.h"
#include "producer/source.h"

struct model {
	struct scaph_source source;
	struct scaph_hoststat stat;
	uint64_t span_uw; /* FULL - IDLE */
	uint64_t cpus;
	bool begun;
	uint64_t last_ns;
	uint64_t last_busy_ns; /* the greatest that /proc/stat has shown */
	uint64_t owed_ns; /* busy time not yet counted */
	unsigned __int128 energy; /* in microwatts x nanoseconds x CPUs */
};

static int model_open(const struct scaph_config *config, const char *argument,
		      struct scaph_source **ret_source)
{
	struct model *model;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int r;

	if (argument || !config->model_given) {
		scaph_error("--source model needs --model-watts IDLE:FULL, this machine's power in "
			    "watts when idle and busy");
		return -EINVAL;
	}
	model = calloc(1, sizeof(*model));
	if (!model)
		return -ENOMEM;
	r = scaph_hoststat_open(&model->stat);
	if (r) {
		scaph_error("/proc/stat: %s; the model needs it", strerror(-r));
		free(model);
		return r;
	}
	model->cpus = cpus > 0 ? (uint64_t)cpus : 1;
	model->span_uw = config->model_full_uw - config->model_idle_uw;
	model->source = (struct scaph_source){
		.ops = &scaph_source_model,
		.zones = SCAPH_ZONE_PACKAGE,
		.estimated = true,
		.idle_known = true,
		.idle_uw = config->model_idle_uw,
	};
	snprintf(model->source.about, sizeof(model->source.about),
		 "%g W idle to %g W with %u CPUs busy", (double)config->model_idle_uw / 1e6,
		 (double)config->model_full_uw / 1e6, (unsigned int)model->cpus);
	*ret_source = &model->source;
	return 0;
}

static int model_read(struct scaph_source *source, uint64_t now_ns, uint64_t raw_uj[SCAPH_ZONES])
{
	struct model *model = (struct model *)source;
	uint64_t busy_ns, dt_ns, counted_ns;
	int r;

	r = scaph_hoststat_busy_ns(&model->stat, &busy_ns);
	if (r)
		return r;
	if (!model->begun) {
		model->begun = true;
		model->last_ns = now_ns;
		model->last_busy_ns = busy_ns;
	}
	if (busy_ns > model->last_busy_ns) {
		model->owed_ns += busy_ns - model->last_busy_ns;
		model->last_busy_ns = busy_ns;
	}
	dt_ns = now_ns - model->last_ns;
	counted_ns = model->owed_ns < dt_ns * model->cpus ? model->owed_ns : dt_ns * model->cpus;
	model->owed_ns -= counted_ns;
	model->last_ns = now_ns;
	model->energy += (unsigned __int128)source->idle_uw * dt_ns * model->cpus +
			 (unsigned __int128)model->span_uw * counted_ns;
	raw_uj[SCAPH_ZONE_AT_PACKAGE] = (uint64_t)(model->energy / model->cpus / SCAPH_NS_PER_S);
	return 0;
}

static void model_close(struct scaph_source *source)
{
	struct model *model = (struct model *)source;

	scaph_hoststat_close(&model->stat);
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
