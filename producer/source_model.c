/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_model.c - an estimate: the machine's busy time between two given powers
 *
 * E = IDLE * t + (FULL - IDLE) * busy / CPUs. Never chosen by itself; estimated in every record. Steps of USER_HZ, as busy time.
 */
#include <errno.h>
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
	uint64_t start_ns;
	uint64_t start_busy_ns;
	uint64_t shown_uj; /* never steps back */
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
	if (r == 0)
		r = scaph_hoststat_busy_ns(&model->stat, &model->start_busy_ns);
	if (r) {
		scaph_error("/proc/stat: %s; the model needs it", strerror(-r));
		free(model);
		return r;
	}
	model->start_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	model->cpus = cpus > 0 ? (uint64_t)cpus : 1;
	model->span_uw = config->model_full_uw - config->model_idle_uw;
	model->source = (struct scaph_source){
		.ops = &scaph_source_model,
		.zones = SCAPH_ZONE_PACKAGE,
		.estimated = true,
		.idle_known = true,
		.idle_uw = config->model_idle_uw,
	};
	*ret_source = &model->source;
	return 0;
}

static uint64_t energy_uj(uint64_t power_uw, uint64_t ns)
{
	return (uint64_t)((unsigned __int128)power_uw * ns / SCAPH_NS_PER_S);
}

static void model_sample(struct scaph_source *source, uint64_t now_ns, struct scaph_energy *energy)
{
	struct model *model = (struct model *)source;
	uint64_t busy_ns, uj;

	if (scaph_hoststat_busy_ns(&model->stat, &busy_ns)) {
		energy->lost = true;
		return;
	}
	busy_ns = busy_ns > model->start_busy_ns ? busy_ns - model->start_busy_ns : 0;
	uj = energy_uj(source->idle_uw, now_ns - model->start_ns) +
	     energy_uj(model->span_uw, busy_ns) / model->cpus;
	if (uj > model->shown_uj)
		model->shown_uj = uj;
	energy->zone_uj[SCAPH_ZONE_AT_PACKAGE] = model->shown_uj;
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
	.usage = "model",
	.open = model_open,
	.sample = model_sample,
	.close = model_close,
};
