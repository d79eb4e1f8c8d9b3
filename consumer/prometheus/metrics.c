/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.c - what is exposed of a subject
 *
 * Zones of one metric do not overlap, so that sum() is right; parts of a zone are metrics of their own. A figure that is not
 * known now is not there.
 */
#include "consumer/prometheus/metrics.h"

#define STATES                                                                                     \
	"0 live, 1 not seen moving yet, 2 stale, 3 ended in order, 4 withheld by the profile, "    \
	"5 unreadable, 6 records without energy, 7 the share hangs."

int scaph_exposed_state(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit)
{
	return exposed->responds ? exhibit->state : SCAPH_EXHIBIT_SHARE_HANGS;
}

bool scaph_exposed_up(const struct scaph_exposed *exposed)
{
	for (uint32_t i = 0; exposed->responds && i < exposed->survey->head.exhibits; i++) {
		if (scaph_exhibit_shows(&exposed->survey->exhibit[i], SCAPH_HAS_PACKAGE))
			return true;
	}
	return false;
}

static bool shows(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		  uint32_t figure)
{
	return exposed->responds && scaph_exhibit_shows(exhibit, figure);
}

static bool up(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
	       uint32_t at, struct scaph_sample *ret)
{
	ret->value = shows(exposed, exhibit, SCAPH_HAS_PACKAGE);
	return true;
}

static bool state(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		  uint32_t at, struct scaph_sample *ret)
{
	ret->value = (uint64_t)scaph_exposed_state(exposed, exhibit);
	return true;
}

static bool estimated(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		      uint32_t at, struct scaph_sample *ret)
{
	ret->value = exhibit->info.is_estimated || exhibit->last.flags & SCAPH_IS_ESTIMATED;
	return true;
}

static bool window(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		   uint32_t at, struct scaph_sample *ret)
{
	ret->value = exhibit->info.window_ns;
	return true;
}

static bool energy(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		   uint32_t at, struct scaph_sample *ret)
{
	ret->labels = at ? "zone=\"dram\"" : "zone=\"package\"";
	ret->value = at ? exhibit->dram_uj : exhibit->package_uj;
	return shows(exposed, exhibit, at ? SCAPH_HAS_DRAM : SCAPH_HAS_PACKAGE);
}

static bool core(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		 uint32_t at, struct scaph_sample *ret)
{
	ret->value = exhibit->core_uj;
	return shows(exposed, exhibit, SCAPH_HAS_CORE);
}

static bool idle(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		 uint32_t at, struct scaph_sample *ret)
{
	ret->value = exhibit->idle_uj;
	return shows(exposed, exhibit, SCAPH_HAS_IDLE);
}

static bool power(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		  uint32_t at, struct scaph_sample *ret)
{
	const struct scaph_span *span = &exhibit->power;
	uint64_t uj = at ? span->dram_uj : span->package_uj;
	uint32_t figure = at ? SCAPH_HAS_DRAM : SCAPH_HAS_PACKAGE;

	if (!shows(exposed, exhibit, figure) || !exhibit->has_power || !(span->flags & figure))
		return false;
	ret->labels = at ? "zone=\"dram\"" : "zone=\"package\"";
	ret->value = (uint64_t)((unsigned __int128)uj * 1000000000U / span->duration_ns);
	return true;
}

static bool cpu(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		uint32_t at, struct scaph_sample *ret)
{
	ret->value = exhibit->cpu_ns;
	return shows(exposed, exhibit, SCAPH_HAS_CPU);
}

static bool lost(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		 uint32_t at, struct scaph_sample *ret)
{
	ret->value = exhibit->lost;
	return true;
}

/* Sums over bulletins: shown while records come, for a bulletin stays in a segment that is dead. */
static bool told(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		 uint64_t bit)
{
	return exposed->responds && exhibit->present && exhibit->state == SCAPH_EXHIBIT_LIVE &&
	       exhibit->has_bulletin && exhibit->bulletin.valid & bit;
}

#define TOLD(function, bit, field)                                                                 \
	static bool function(const struct scaph_exposed *exposed,                                  \
			     const struct scaph_exhibit *exhibit, uint32_t at,                     \
			     struct scaph_sample *ret)                                             \
	{                                                                                          \
		ret->value = exhibit->field;                                                       \
		return told(exposed, exhibit, bit);                                                \
	}

TOLD(uncore, SCAPH_BULLETIN_HAS_UNCORE, uncore_uj)
TOLD(psys, SCAPH_BULLETIN_HAS_PSYS, psys_uj)
TOLD(residual, SCAPH_BULLETIN_HAS_RESIDUAL, residual_uj)
TOLD(unattributed, SCAPH_BULLETIN_HAS_UNATTRIBUTED, unattributed_uj)
TOLD(own_energy, SCAPH_BULLETIN_HAS_OWN, own_uj)
TOLD(own_cpu, SCAPH_BULLETIN_HAS_OWN, own_cpu_ns)
TOLD(look_spent, SCAPH_BULLETIN_HAS_SAMPLING, look_spent_ns)
TOLD(own_load, SCAPH_BULLETIN_HAS_SAMPLING, bulletin.own_load_ppm)
TOLD(sampling_step, SCAPH_BULLETIN_HAS_SAMPLING, bulletin.sampling_step)
TOLD(reads, SCAPH_BULLETIN_HAS_SAMPLING, bulletin.read_rate_millihz * 1000)

static bool cpu_budget(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		       uint32_t at, struct scaph_sample *ret)
{
	ret->value = exhibit->bulletin.cpu_budget_ppm;
	return ret->value && told(exposed, exhibit, SCAPH_BULLETIN_HAS_SAMPLING);
}

static bool held_float(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		       uint32_t at, struct scaph_sample *ret)
{
	int64_t uj = exhibit->bulletin.float_uj;

	ret->negative = uj < 0;
	ret->value = uj < 0 ? 0 - (uint64_t)uj : (uint64_t)uj;
	return told(exposed, exhibit, SCAPH_BULLETIN_HAS_FLOAT);
}

const struct scaph_metric scaph_metrics[] = {
	{ "up", "gauge", "1 while energy figures come, else 0: then there is no energy and power.",
	  SCAPH_UNIT_ONE, up, 1, false },
	{ "state", "gauge", "Why: " STATES, SCAPH_UNIT_ONE, state, 1, false },
	{ "estimated", "gauge", "1 if the figures are a model's estimate, 0 if measured.",
	  SCAPH_UNIT_ONE, estimated, 1, false },
	{ "window_seconds", "gauge", "The span over which energy is divided.", SCAPH_UNIT_NANO,
	  window, 1, false },
	{ "energy_joules_total", "counter",
	  "Energy since the exporter began to read. The zones do not overlap and may be added.",
	  SCAPH_UNIT_MICRO, energy, 2, false },
	{ "power_watts", "gauge",
	  "Mean power over the last 10 s, or since reading began. The zones may be added.",
	  SCAPH_UNIT_MICRO, power, 2, false },
	{ "package_core_joules_total", "counter",
	  "The cores' part of zone package: contained in it, never add the two.", SCAPH_UNIT_MICRO,
	  core, 1, false },
	{ "package_idle_joules_total", "counter",
	  "The idle share in zone package: contained in it, never add the two.", SCAPH_UNIT_MICRO,
	  idle, 1, false },
	{ "package_uncore_joules_total", "counter",
	  "The uncore part of zone package: contained in it, never add the two.", SCAPH_UNIT_MICRO,
	  uncore, 1, true },
	{ "psys_joules_total", "counter",
	  "The whole platform: contains the other zones, never add them.", SCAPH_UNIT_MICRO, psys,
	  1, true },
	{ "cpu_seconds_total", "counter", "CPU time since the exporter began to read.",
	  SCAPH_UNIT_NANO, cpu, 1, false },
	{ "lost_records_total", "counter",
	  "Records that were overwritten before they were read; no energy is missing for that.",
	  SCAPH_UNIT_ONE, lost, 1, false },
	{ "residual_joules_total", "counter",
	  "Energy in zone package that belongs to no domain; told once a second.", SCAPH_UNIT_MICRO,
	  residual, 1, true },
	{ "unattributed_joules_total", "counter",
	  "Energy of gaps, divided among nobody; told once a second.", SCAPH_UNIT_MICRO,
	  unattributed, 1, true },
	{ "float_joules", "gauge",
	  "Exact energy less what was published at a held price, since scaphd began.",
	  SCAPH_UNIT_MICRO, held_float, 1, true },
	{ "scaphd_energy_joules_total", "counter",
	  "Energy of scaphd itself, part of the residual; told once a second.", SCAPH_UNIT_MICRO,
	  own_energy, 1, true },
	{ "scaphd_cpu_seconds_total", "counter", "CPU time of scaphd itself; told once a second.",
	  SCAPH_UNIT_NANO, own_cpu, 1, true },
	{ "scaphd_cpu_ratio", "gauge",
	  "CPU time of scaphd over two seconds, as a part of one core.", SCAPH_UNIT_MICRO, own_load,
	  1, true },
	{ "scaphd_cpu_budget_ratio", "gauge",
	  "What scaphd_cpu_ratio may be; absent without --cpu-budget.", SCAPH_UNIT_MICRO,
	  cpu_budget, 1, true },
	{ "scaphd_sampling_step", "gauge",
	  "Steps by which sampling is lowered to keep to the CPU budget; 0: it is full.",
	  SCAPH_UNIT_ONE, sampling_step, 1, true },
	{ "scaphd_step_look_seconds_total", "counter",
	  "CPU time in which scaphd looked for the counters' steps; told once a second.",
	  SCAPH_UNIT_NANO, look_spent, 1, true },
	{ "scaphd_reads_per_second", "gauge",
	  "Readings of a package's counters over the last second.", SCAPH_UNIT_MICRO, reads, 1,
	  true },
};
const size_t scaph_metrics_count = sizeof(scaph_metrics) / sizeof(scaph_metrics[0]);
