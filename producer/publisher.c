/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher.c - one window after the other
 */
#include "producer/publisher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "producer/clock.h"
#include "producer/privilege.h"
#include "producer/thread.h"

#define REFRESH_NS (SCAPH_SLOW_PERIOD_NS / 2) /* half of what is promised: a late one is in time */
#define GAP_MAX_NS                                                                                 \
	(15 * SCAPH_NS_PER_S) /* a longer one is nobody's: the share of each in it is not known */

int scaph_publisher_init(struct scaph_publisher *pub, const struct scaph_publication_terms *terms,
			 struct scaph_sampler *sampler, struct scaph_meter *meter,
			 struct scaph_publication *domains, struct scaph_reading *readings,
			 uint32_t count)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	*pub = (struct scaph_publisher){
		.sampler = sampler,
		.meter = meter,
		.domains = domains,
		.readings = readings,
		.count = count,
		.splitter = { .idle_known = terms->source->idle_known,
			      .idle_uw = terms->source->idle_uw },
		.zones = terms->source->zones,
		.cpus = cpus > 0 ? (uint32_t)cpus : 1,
		.window_ns = terms->window_ns,
		.gone = calloc(count + 1, sizeof(bool)),
		.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	pthread_mutex_init(&pub->lock, NULL);
	if (!pub->gone || pub->wake_fd < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		pub->vcpus += domains[i].domain->vcpus;
	return scaph_publication_open(terms, NULL, &pub->host);
}

void scaph_publisher_deinit(struct scaph_publisher *pub)
{
	free(pub->gone);
	if (pub->wake_fd >= 0)
		close(pub->wake_fd);
	pub->gone = NULL;
	pub->wake_fd = -1;
}

static void wake_main(struct scaph_publisher *pub)
{
	uint64_t one = 1;

	if (write(pub->wake_fd, &one, sizeof(one)) < 0)
		return; /* already full of wake-ups */
}

void scaph_publisher_domain_gone(struct scaph_publisher *pub, uint32_t domain)
{
	pthread_mutex_lock(&pub->lock);
	pub->gone[domain] = true;
	pthread_mutex_unlock(&pub->lock);
}

/* Exchange notes with the main thread; false: asked to stop. */
static bool exchange_notes(struct scaph_publisher *pub)
{
	bool stop, news = false;

	pthread_mutex_lock(&pub->lock);
	stop = pub->stop;
	for (uint32_t i = 0; i < pub->count; i++) {
		if (pub->readings[i].gone && !pub->gone[i])
			news = true;
		pub->gone[i] = pub->readings[i].gone = pub->gone[i] || pub->readings[i].gone;
	}
	news |= pub->last.lost != pub->source_lost || pub->sweep_failed != pub->meter_lost;
	pub->source_lost = pub->last.lost;
	pub->meter_lost = pub->sweep_failed;
	pthread_mutex_unlock(&pub->lock);
	if (news)
		wake_main(pub);
	return !stop;
}

static struct scaph_status status_of(struct scaph_publisher *pub, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns - pub->second_ns;

	return (struct scaph_status){
		.wall_ns = scaph_clock_ns(CLOCK_REALTIME),
		.mono_ns = now_ns - pub->origin_ns,
		.record_rate_millihz = elapsed_ns ? (uint64_t)pub->records_this_second * 1000 *
							    SCAPH_NS_PER_S / elapsed_ns
						  : 0,
		.valid = SCAPH_STATUS_WALL | SCAPH_STATUS_RATE,
	};
}

/* Reasons that all publications share, as they are now. */
static uint32_t common_reasons(const struct scaph_publisher *pub, const struct scaph_status *status)
{
	uint64_t expected_millihz = 1000 * SCAPH_NS_PER_S / pub->window_ns;
	uint32_t reasons = 0;

	if (pub->last.lost)
		reasons |= SCAPH_REASON_SOURCE_LOST;
	if (pub->sweep_failed)
		reasons |= SCAPH_REASON_METER_LOST;
	/* A tenth of the windows missing; the first status of a run has no second behind it. */
	if (pub->records_this_second && status->record_rate_millihz < expected_millihz / 10 * 9)
		reasons |= SCAPH_REASON_RATE_LOW;
	return reasons;
}

/* What belongs to no domain; dust below a microjoule of each account stays here too. */
static uint64_t residual_uj(const struct scaph_publisher *pub)
{
	uint64_t sum_uj = pub->unattributed_uj;

	for (uint32_t i = 0; i < pub->count; i++)
		sum_uj += scaph_units_uj(pub->domains[i].package.total_units);
	return pub->host_uj[SCAPH_ZONE_AT_PACKAGE] - sum_uj;
}

static void close_second(struct scaph_publisher *pub, uint64_t now_ns)
{
	struct scaph_status status = status_of(pub, now_ns);

	status.reasons = common_reasons(pub, &status);
	for (uint32_t i = 0; i < pub->count; i++) {
		struct scaph_publication *domain = &pub->domains[i];

		if (domain->state == SCAPH_STATE_RETIRED)
			continue;
		if (pub->readings[i].gone) {
			domain->state = SCAPH_STATE_RETIRED;
			domain->reasons |= SCAPH_REASON_DOMAIN_GONE;
		}
		scaph_publication_second(domain, &status);
	}
	status.valid |= SCAPH_STATUS_RESIDUAL | SCAPH_STATUS_UNATTRIBUTED;
	status.residual_uj = residual_uj(pub);
	status.unattributed_uj = pub->unattributed_uj;
	if (pub->zones & SCAPH_ZONE_UNCORE) {
		status.valid |= SCAPH_STATUS_UNCORE;
		status.uncore_uj = pub->host_uj[SCAPH_ZONE_AT_UNCORE];
	}
	if (pub->zones & SCAPH_ZONE_PSYS) {
		status.valid |= SCAPH_STATUS_PSYS;
		status.psys_uj = pub->host_uj[SCAPH_ZONE_AT_PSYS];
	}
	scaph_publication_second(&pub->host, &status);
	pub->records_this_second = 0;
	pub->second_ns = now_ns;
}

/* Flags and zone fields of a record; what the source does not have, or has lost, stays 0 with its bit clear. */
static void fill_zones(const struct scaph_publisher *pub, struct scaph_slot *record,
		       const uint64_t uj[4])
{
	if (!pub->last.lost) {
		record->flags |= SCAPH_FLAG_PACKAGE;
		record->package_uj = uj[0];
		if (pub->zones & SCAPH_ZONE_CORE) {
			record->flags |= SCAPH_FLAG_CORE;
			record->core_uj = uj[1];
		}
		if (pub->zones & SCAPH_ZONE_DRAM) {
			record->flags |= SCAPH_FLAG_DRAM;
			record->dram_uj = uj[2];
		}
		if (pub->splitter.idle_known) {
			record->flags |= SCAPH_FLAG_IDLE;
			record->idle_uj = uj[3];
		}
	}
	if (pub->sampler->source->estimated)
		record->flags |= SCAPH_FLAG_ESTIMATED;
}

static void publish(struct scaph_publisher *pub, struct scaph_publication *to,
		    struct scaph_slot *record, const uint64_t uj[4])
{
	record->breaks = to->breaks;
	record->cpu_ns = to->cpu_ns;
	record->flags |= SCAPH_FLAG_CPU;
	fill_zones(pub, record, uj);
	scaph_publication_record(to, record);
}

struct window {
	uint64_t now_ns, dt_ns, busy_ns;
	uint16_t flags;
	struct scaph_portion package, core, dram;
};

static void close_domain(struct scaph_publisher *pub, uint32_t at, const struct window *window)
{
	struct scaph_publication *to = &pub->domains[at];
	const struct scaph_reading *reading = &pub->readings[at];
	struct scaph_basis basis = { .busy_ns = window->busy_ns,
				     .vcpus = pub->vcpus,
				     .cpus = pub->cpus };
	struct scaph_slot record = { .mono_ns = window->now_ns - pub->origin_ns,
				     .flags = window->flags };
	uint64_t uj[4];

	scaph_attribution_credit(&to->package, &window->package, &basis, reading->cpu_ns,
				 to->domain->vcpus);
	scaph_attribution_credit(&to->core, &window->core, &basis, reading->cpu_ns,
				 to->domain->vcpus);
	scaph_attribution_credit(&to->dram, &window->dram, &basis, reading->cpu_ns,
				 to->domain->vcpus);
	to->cpu_ns += reading->cpu_ns;
	uj[0] = scaph_units_uj(to->package.total_units);
	uj[1] = scaph_units_uj(to->core.total_units);
	uj[2] = scaph_units_uj(to->dram.total_units);
	uj[3] = scaph_units_uj(to->package.idle_units);
	publish(pub, to, &record, uj);
}

static void close_host(struct scaph_publisher *pub, const struct window *window)
{
	struct scaph_slot record = { .mono_ns = window->now_ns - pub->origin_ns,
				     .flags = window->flags };
	uint64_t uj[4];

	pub->host.cpu_ns += window->busy_ns;
	pub->host.package.idle_units += window->package.idle_units;
	uj[0] = pub->host_uj[SCAPH_ZONE_AT_PACKAGE];
	uj[1] = pub->host_uj[SCAPH_ZONE_AT_CORE];
	uj[2] = pub->host_uj[SCAPH_ZONE_AT_DRAM];
	uj[3] = scaph_units_uj(pub->host.package.idle_units);
	publish(pub, &pub->host, &record, uj);
}

/* A stretch that cannot be subtracted over; a new epoch where the count would wrap. */
static void count_break(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i <= pub->count; i++) {
		struct scaph_publication *to = i < pub->count ? &pub->domains[i] : &pub->host;

		if (to->breaks < UINT16_MAX)
			to->breaks++;
	}
}

/* Epochs of all publications begin together, so that the ledger's columns go on adding up. */
static int begin_epoch(struct scaph_publisher *pub, uint64_t now_ns)
{
	int r = scaph_publication_begin_epoch(&pub->host, now_ns);

	for (uint32_t i = 0; i < pub->count && r == 0; i++)
		r = scaph_publication_begin_epoch(&pub->domains[i], now_ns);
	memset(pub->host_uj, 0, sizeof(pub->host_uj));
	pub->unattributed_uj = 0;
	pub->origin_ns = now_ns;
	return r;
}

/* Energy and run times of this instant since the last; false: nothing can be said about this window. */
static bool measure(struct scaph_publisher *pub, uint64_t now_ns, struct window *window)
{
	struct scaph_energy energy;
	uint64_t delta_uj[SCAPH_ZONES];

	window->now_ns = now_ns;
	window->dt_ns = now_ns - pub->last_ns;
	scaph_sampler_read(pub->sampler, now_ns, &energy);
	pub->sweep_failed =
		pub->meter->ops->sweep(pub->meter, pub->readings, pub->count, &window->busy_ns) < 0;
	if (pub->sweep_failed)
		return false;
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		delta_uj[zone] = energy.zone_uj[zone] - pub->last.zone_uj[zone];
		pub->host_uj[zone] += delta_uj[zone];
	}
	if ((energy.lost && !pub->last.lost) || window->dt_ns > GAP_MAX_NS)
		count_break(pub);
	pub->last = energy;
	pub->last_ns = now_ns;
	if (window->dt_ns > GAP_MAX_NS) {
		pub->unattributed_uj += delta_uj[SCAPH_ZONE_AT_PACKAGE];
		return true;
	}
	window->package = scaph_attribution_split(&pub->splitter, delta_uj[SCAPH_ZONE_AT_PACKAGE],
						  window->dt_ns);
	window->core.dynamic_units = (unsigned __int128)delta_uj[SCAPH_ZONE_AT_CORE]
				     << SCAPH_UNITS_SHIFT;
	window->dram.dynamic_units = (unsigned __int128)delta_uj[SCAPH_ZONE_AT_DRAM]
				     << SCAPH_UNITS_SHIFT;
	if (window->dt_ns >= 2 * pub->window_ns)
		window->flags |= SCAPH_FLAG_LATE;
	return true;
}

static void close_window(struct scaph_publisher *pub, uint64_t now_ns)
{
	struct window window = {};

	/* Half a year of windows, or 65,535 gaps: begin anew before either can wrap. */
	if (pub->host.outlet[0].writer.next_index > SCAPH_INDEX_MAX ||
	    pub->host.breaks == UINT16_MAX) {
		if (begin_epoch(pub, pub->last_ns))
			return;
	}
	if (!measure(pub, now_ns, &window))
		return;
	for (uint32_t i = 0; i < pub->count; i++) {
		if (pub->domains[i].state != SCAPH_STATE_RETIRED)
			close_domain(pub, i, &window);
	}
	close_host(pub, &window);
	pub->records_this_second++;
}

static void beat_all(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i < pub->count; i++) {
		if (pub->domains[i].state != SCAPH_STATE_RETIRED)
			scaph_publication_beat(&pub->domains[i]);
	}
	scaph_publication_beat(&pub->host);
}

/* A guest that was restored has put old bytes back: overwrite them from private memory. */
static void refresh_all(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i < pub->count; i++) {
		if (pub->domains[i].state != SCAPH_STATE_RETIRED)
			scaph_publication_refresh(&pub->domains[i]);
	}
	scaph_publication_refresh(&pub->host);
}

static void *run(void *argument)
{
	struct scaph_publisher *pub = argument;
	uint64_t window_due_ns = pub->last_ns + pub->window_ns;
	uint64_t beat_due_ns = pub->last_ns;
	uint64_t refresh_due_ns = pub->last_ns + REFRESH_NS;

	scaph_privilege_drop();
	while (exchange_notes(pub)) {
		/* Twice as often as promised: a late tick is still in time. */
		uint64_t beat_every_ns = SCAPH_BEAT_PERIOD_NS / 2;
		uint64_t now_ns;

		scaph_clock_sleep_until(window_due_ns < beat_due_ns ? window_due_ns : beat_due_ns);
		now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
		if (now_ns >= window_due_ns) {
			close_window(pub, now_ns);
			window_due_ns += pub->window_ns;
			/* Windows that were missed are not made up for: the next record says how long it was. */
			if (window_due_ns <= now_ns)
				window_due_ns = now_ns + pub->window_ns;
		}
		if (now_ns >= beat_due_ns) {
			beat_all(pub);
			beat_due_ns = now_ns + beat_every_ns;
		}
		if (now_ns - pub->second_ns >= SCAPH_SLOW_PERIOD_NS)
			close_second(pub, now_ns);
		if (now_ns >= refresh_due_ns) {
			refresh_all(pub);
			refresh_due_ns = now_ns + REFRESH_NS;
		}
	}
	return NULL;
}

int scaph_publisher_start(struct scaph_publisher *pub, bool *ret_realtime)
{
	uint64_t now_ns = scaph_clock_ns(CLOCK_MONOTONIC), busy_ns;
	int r;

	scaph_sampler_read(pub->sampler, now_ns, &pub->last);
	r = pub->meter->ops->sweep(pub->meter, pub->readings, pub->count, &busy_ns);
	if (r == 0)
		r = begin_epoch(pub, now_ns);
	if (r)
		return r;
	pub->last_ns = pub->second_ns = now_ns;
	close_second(pub, now_ns);
	r = scaph_thread_start(&pub->thread, "scaph-publisher", run, pub, ret_realtime);
	pub->running = r == 0;
	return r;
}

static void retire(struct scaph_publication *to, const struct scaph_status *status)
{
	to->state = SCAPH_STATE_RETIRED;
	to->reasons |= SCAPH_REASON_PRODUCER_ENDED;
	scaph_publication_second(to, status);
}

void scaph_publisher_stop(struct scaph_publisher *pub)
{
	struct scaph_status status;

	if (!pub->running)
		return;
	pthread_mutex_lock(&pub->lock);
	pub->stop = true;
	pthread_mutex_unlock(&pub->lock);
	pthread_join(pub->thread, NULL);
	pub->running = false;
	status = status_of(pub, scaph_clock_ns(CLOCK_MONOTONIC));
	for (uint32_t i = 0; i < pub->count; i++)
		retire(&pub->domains[i], &status);
	retire(&pub->host, &status);
}
