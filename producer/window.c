/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.c - measure, divide, publish
 *
 * A window's energy is divided only if it is known to be of this window: not if the source was away
 * in it, a counter began anew, the machine slept, or so long a time passed that a counter can have
 * wrapped unseen. Then it counts as a break and what was measured is unattributed. Host totals
 * contain it: host = domains + residual + unattributed, to the microjoule.
 */
#include "producer/window.h"

#include <errno.h>
#include <string.h>

#include "producer/clock.h"

#define GAP_LIMIT_NS (15 * SCAPH_NS_PER_S)
#define WRAP_PARTS 4
/* The two clocks are not read at one instant: less than this between them is no sleep. */
#define SUSPEND_MIN_NS (100 * SCAPH_NS_PER_MS)

/* One window of all zones. */
struct window {
	uint64_t dt_ns;
	struct scaph_basis basis;
	uint16_t flags;
	struct scaph_portion package, core, dram;
};

/* Cumulative figures for one record; what is not valid is not shown. */
struct figures {
	uint64_t package_uj, core_uj, dram_uj, idle_uj;
};

uint64_t scaph_window_gap_max_ns(uint64_t wrap_ns)
{
	uint64_t part_ns = wrap_ns / WRAP_PARTS;

	return wrap_ns && part_ns < GAP_LIMIT_NS ? part_ns : GAP_LIMIT_NS;
}

static uint64_t suspended_ns(void)
{
	uint64_t mono_ns = scaph_clock_ns(CLOCK_MONOTONIC);

	return scaph_clock_ns(CLOCK_BOOTTIME) - mono_ns;
}

/* Epochs of all publications begin together, so that the columns go on adding up. */
static int begin_epoch(struct scaph_publisher *pub)
{
	int r = scaph_publication_begin_epoch(&pub->host, pub->last.mono_ns);

	for (uint32_t i = 0; i < pub->count && r == 0; i++) {
		if (pub->domains[i].state != SCAPH_STATE_RETIRED)
			r = scaph_publication_begin_epoch(&pub->domains[i], pub->last.mono_ns);
		else
			scaph_publication_clear_accounts(&pub->domains[i]);
	}
	memset(pub->host_uj, 0, sizeof(pub->host_uj));
	pub->unattributed_uj = 0;
	pub->origin_ns = pub->last.mono_ns;
	return r;
}

int scaph_window_begin(struct scaph_publisher *pub)
{
	uint64_t busy_ns;
	int r;

	scaph_sampler_read(pub->sampler, &pub->last);
	pub->suspended_ns = suspended_ns();
	r = pub->meter->ops->sweep(pub->meter, pub->readings, pub->count, &busy_ns);
	return r ? r : begin_epoch(pub);
}

/* A stretch that cannot be subtracted over. */
static void count_break(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i <= pub->count; i++) {
		struct scaph_publication *to = i < pub->count ? &pub->domains[i] : &pub->host;

		if (to->breaks < UINT16_MAX)
			to->breaks++;
	}
}

/* Whether the machine slept since the last window. */
static bool slept(struct scaph_publisher *pub)
{
	uint64_t before_ns = pub->suspended_ns;

	pub->suspended_ns = suspended_ns();
	return pub->suspended_ns > before_ns + SUSPEND_MIN_NS;
}

static void divide(struct scaph_publisher *pub, const uint64_t delta_uj[SCAPH_ZONES],
		   struct window *window)
{
	window->package = scaph_attribution_split(&pub->splitter, delta_uj[SCAPH_ZONE_AT_PACKAGE],
						  window->dt_ns);
	/* Idle power is known of the package at best: the others go by CPU time alone. */
	window->core.dynamic_units = (unsigned __int128)delta_uj[SCAPH_ZONE_AT_CORE]
				     << SCAPH_UNITS_SHIFT;
	window->dram.dynamic_units = (unsigned __int128)delta_uj[SCAPH_ZONE_AT_DRAM]
				     << SCAPH_UNITS_SHIFT;
}

/* Energy and run times of this instant since the last; false: CPU times cannot be read. */
static bool measure(struct scaph_publisher *pub, struct window *window)
{
	struct scaph_energy energy;
	uint64_t delta_uj[SCAPH_ZONES];
	bool away, broken;

	scaph_sampler_read(pub->sampler, &energy);
	pub->sweep_failed = pub->meter->ops->sweep(pub->meter, pub->readings, pub->count,
						   &window->basis.busy_ns) < 0;
	if (pub->sweep_failed)
		return false;
	window->dt_ns = energy.mono_ns - pub->last.mono_ns;
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		delta_uj[zone] = energy.zone_uj[zone] - pub->last.zone_uj[zone];
		pub->host_uj[zone] += delta_uj[zone];
	}
	away = energy.lost || pub->last.lost;
	broken = slept(pub) || window->dt_ns > pub->gap_max_ns ||
		 energy.resets != pub->last.resets || (energy.lost && !pub->last.lost);
	if (broken)
		count_break(pub);
	if (broken || away)
		pub->unattributed_uj += delta_uj[SCAPH_ZONE_AT_PACKAGE];
	else
		divide(pub, delta_uj, window);
	if (window->dt_ns >= 2 * pub->window_ns)
		window->flags |= SCAPH_FLAG_LATE;
	if (pub->sampler->source->estimated)
		window->flags |= SCAPH_FLAG_ESTIMATED;
	pub->last = energy;
	return true;
}

/* What the source does not have, or has lost, stays 0 with its bit clear. */
static void publish(const struct scaph_publisher *pub, struct scaph_publication *to,
		    const struct window *window, const struct figures *figures)
{
	struct scaph_slot record = {
		.mono_ns = pub->last.mono_ns - pub->origin_ns,
		.cpu_ns = to->cpu_ns,
		.breaks = to->breaks,
		.flags = window->flags | SCAPH_FLAG_CPU,
	};

	if (!pub->last.lost) {
		record.flags |= SCAPH_FLAG_PACKAGE;
		record.package_uj = figures->package_uj;
		if (pub->zones & SCAPH_ZONE_CORE) {
			record.flags |= SCAPH_FLAG_CORE;
			record.core_uj = figures->core_uj;
		}
		if (pub->zones & SCAPH_ZONE_DRAM) {
			record.flags |= SCAPH_FLAG_DRAM;
			record.dram_uj = figures->dram_uj;
		}
		if (pub->splitter.idle_known) {
			record.flags |= SCAPH_FLAG_IDLE;
			record.idle_uj = figures->idle_uj;
		}
	}
	scaph_publication_record(to, &record);
}

static void close_domain(struct scaph_publisher *pub, uint32_t at, const struct window *window)
{
	struct scaph_publication *to = &pub->domains[at];
	uint64_t cpu_ns = pub->readings[at].cpu_ns;
	uint32_t vcpus = to->domain->vcpus;
	struct figures figures;

	scaph_attribution_credit(&to->package, &window->package, &window->basis, cpu_ns, vcpus);
	scaph_attribution_credit(&to->core, &window->core, &window->basis, cpu_ns, vcpus);
	scaph_attribution_credit(&to->dram, &window->dram, &window->basis, cpu_ns, vcpus);
	to->cpu_ns += cpu_ns;
	figures = (struct figures){
		.package_uj = scaph_units_uj(to->package.total_units),
		.core_uj = scaph_units_uj(to->core.total_units),
		.dram_uj = scaph_units_uj(to->dram.total_units),
		.idle_uj = scaph_units_uj(to->package.idle_units),
	};
	publish(pub, to, window, &figures);
}

static void close_host(struct scaph_publisher *pub, const struct window *window)
{
	struct figures figures;

	pub->host.cpu_ns += window->basis.busy_ns;
	pub->host.package.idle_units += window->package.idle_units;
	figures = (struct figures){
		.package_uj = pub->host_uj[SCAPH_ZONE_AT_PACKAGE],
		.core_uj = pub->host_uj[SCAPH_ZONE_AT_CORE],
		.dram_uj = pub->host_uj[SCAPH_ZONE_AT_DRAM],
		.idle_uj = scaph_units_uj(pub->host.package.idle_units),
	};
	publish(pub, &pub->host, window, &figures);
}

/* Has its place in the window: neither retired nor found gone by the sweep. */
static bool present(const struct scaph_publisher *pub, uint32_t at)
{
	return pub->domains[at].state != SCAPH_STATE_RETIRED && !pub->readings[at].gone;
}

void scaph_window_close(struct scaph_publisher *pub)
{
	struct window window = { .basis = { .cpus = pub->cpus } };

	/* Centuries of windows, or 65,535 gaps: begin anew before either can wrap. */
	if (pub->host.outlet[0].writer.next_index > SCAPH_INDEX_MAX ||
	    pub->host.breaks == UINT16_MAX) {
		if (begin_epoch(pub))
			return;
	}
	if (!measure(pub, &window))
		return;
	for (uint32_t i = 0; i < pub->count; i++) {
		if (present(pub, i))
			window.basis.vcpus += pub->domains[i].domain->vcpus;
	}
	for (uint32_t i = 0; i < pub->count; i++) {
		if (present(pub, i))
			close_domain(pub, i, &window);
	}
	close_host(pub, &window);
	pub->records_this_second++;
}
