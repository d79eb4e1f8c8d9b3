/* SPDX-License-Identifier: Apache-2.0 */
/*
 * division.c - who is given how much of a window
 */
#include "producer/publish/division.h"

#include "producer/process/clock.h"
#include "producer/config/config.h"

/* One window of one package, by zone. */
struct portions {
	struct scaph_rates package, core, dram;
	unsigned __int128 idle_units; /* of the package */
	bool by_traffic; /* dram is by bytes, not by ns */
};

/* Has its place in the window: the sweep found it. */
static bool present(const struct scaph_entry *entry)
{
	return !entry->reading.gone;
}

static bool is_shared(const struct scaph_entry *entry)
{
	return entry->domain.profile == SCAPH_PROFILE_SHARED;
}

static uint32_t weight_of(const struct scaph_publisher *pub, const struct scaph_entry *entry)
{
	switch (pub->terms->config->idle_policy) {
	case SCAPH_IDLE_VCPUS:
		return entry->domain.vcpus;
	case SCAPH_IDLE_EQUAL:
		return 1;
	default:
		return 0;
	}
}

/* How many places idle energy is divided over; those that nobody has stay the host's. */
static uint32_t seats(const struct scaph_publisher *pub)
{
	enum scaph_idle_policy policy = pub->terms->config->idle_policy;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < pub->count; i++) {
		if (present(pub->live[i]))
			sum += weight_of(pub, pub->live[i]);
	}
	return policy == SCAPH_IDLE_VCPUS && sum < pub->cpus ? pub->cpus : sum;
}

static struct portions divide(struct scaph_publisher *pub, const struct scaph_window *window,
			      uint32_t package, uint32_t seats)
{
	const unsigned __int128 *delta_units = window->delta_units[package];
	const struct scaph_basis basis = { .busy_ns = window->busy_ns[package], .seats = seats };
	struct scaph_portion split = scaph_attribution_split(
		&pub->splitter[package], delta_units[SCAPH_ZONE_AT_PACKAGE], window->dt_ns);
	/* Idle power is known of the package at best: the others go by CPU time or traffic alone. */
	struct scaph_portion core = { .dynamic_units = delta_units[SCAPH_ZONE_AT_CORE] };
	struct scaph_portion dram = { .dynamic_units = delta_units[SCAPH_ZONE_AT_DRAM] };
	const struct scaph_basis traffic = { .busy_ns = pub->traffic.whole[package] };

	return (struct portions){
		.package = scaph_attribution_rates(&split, &basis),
		.core = scaph_attribution_rates(&core, &basis),
		.dram = scaph_attribution_rates(&dram, window->by_traffic ? &traffic : &basis),
		.by_traffic = window->by_traffic,
		.idle_units = split.idle_units,
	};
}

/* CPU time at the held price: what a shared domain is told. Added to its part of the float. */
static void credit_priced(struct scaph_publisher *pub, struct scaph_entry *entry, uint32_t package,
			  const struct scaph_account *before)
{
	struct scaph_tally *tally = &entry->tally;
	uint64_t cpu_ns = entry->reading.package_ns[package];
	unsigned __int128 exact = tally->package.total_units - before->total_units;
	unsigned __int128 idle = tally->package.idle_units - before->idle_units;
	unsigned __int128 priced = (unsigned __int128)cpu_ns * pub->tally.price[package];

	scaph_price_note(&pub->pricing, package, exact - idle, cpu_ns);
	tally->priced.total_units += priced;
	pub->tally.float_units[package] += (__int128)exact - (__int128)priced;
}

/* A constant share of a held idle power: vCPUs over the host's CPUs, whoever else runs. */
static void credit_held_idle(struct scaph_publisher *pub, struct scaph_entry *entry, uint64_t dt_ns)
{
	unsigned __int128 machine_units =
		((unsigned __int128)pub->tally.held_idle_uw * dt_ns << SCAPH_UNITS_SHIFT) /
		SCAPH_NS_PER_S;
	unsigned __int128 units = machine_units * entry->domain.vcpus / pub->cpus;

	if (pub->terms->config->idle_policy == SCAPH_IDLE_NONE)
		return;
	entry->tally.priced.total_units += units;
	entry->tally.priced.idle_units += units;
	/* The first package's account: only the sum of all is ever looked at with idle energy. */
	pub->tally.float_units[0] -= (__int128)units;
}

static void credit_entry(struct scaph_publisher *pub, struct scaph_entry *entry, uint32_t package,
			 const struct portions *portions)
{
	struct scaph_tally *tally = &entry->tally;
	struct scaph_account before = tally->package;
	uint64_t cpu_ns = entry->reading.package_ns[package];

	scaph_attribution_credit(&tally->package, &portions->package, cpu_ns,
				 weight_of(pub, entry));
	scaph_attribution_credit(&tally->core, &portions->core, cpu_ns, 0);
	scaph_attribution_credit(&tally->dram, &portions->dram,
				 portions->by_traffic ? entry->traffic.bytes[package] : cpu_ns, 0);
	pub->tally.given_units += tally->package.total_units - before.total_units;
	if (is_shared(entry))
		credit_priced(pub, entry, package, &before);
}

static void credit_package(struct scaph_publisher *pub, const struct scaph_window *window,
			   uint32_t package, uint32_t seats)
{
	struct portions portions = divide(pub, window, package, seats);
	struct scaph_account own = {};

	for (uint32_t i = 0; i < pub->count; i++) {
		if (present(pub->live[i]))
			credit_entry(pub, pub->live[i], package, &portions);
	}
	scaph_attribution_credit(&own, &portions.package, pub->own.package_ns[package], 0);
	pub->tally.own_units += own.total_units;
	pub->tally.idle_units += portions.idle_units;
}

/* With no shared domain left there is nobody to settle with. */
static void settle(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i < pub->count; i++) {
		if (is_shared(pub->live[i]))
			return;
	}
	scaph_price_forgive(&pub->pricing, &pub->tally);
}

void scaph_division_credit(struct scaph_publisher *pub, const struct scaph_window *window)
{
	uint32_t all_seats = seats(pub);

	for (uint32_t p = 0; p < pub->packages; p++) {
		for (int zone = 0; zone < SCAPH_ZONES; zone++)
			pub->tally.zone_units[zone] += window->delta_units[p][zone];
		pub->tally.busy_ns += window->busy_ns[p];
		if (window->divided)
			credit_package(pub, window, p, all_seats);
		else
			pub->tally.unattributed_units +=
				window->delta_units[p][SCAPH_ZONE_AT_PACKAGE];
	}
	for (uint32_t i = 0; i < pub->count; i++) {
		if (!present(pub->live[i]))
			continue;
		pub->live[i]->tally.cpu_ns += pub->live[i]->reading.cpu_ns;
		if (window->divided && is_shared(pub->live[i]))
			credit_held_idle(pub, pub->live[i], window->dt_ns);
	}
	pub->tally.own_cpu_ns += pub->own.cpu_ns;
	settle(pub);
	/* No price is made of nothing: it would be shown as no power. */
	if (scaph_source_has_package(pub->terms->source))
		scaph_price_tick(&pub->pricing, window->dt_ns, &pub->tally);
}

void scaph_division_store(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i < pub->count; i++)
		scaph_ledger_store(pub->ledger, pub->live[i]->slot, &pub->live[i]->tally);
	scaph_ledger_store_host(pub->ledger, &pub->tally);
	scaph_ledger_commit(pub->ledger);
}

static struct scaph_slot empty_record(const struct scaph_publication *to,
				      const struct scaph_window *window, uint64_t cpu_ns)
{
	return (struct scaph_slot){
		.mono_ns = window->end_ns - to->origin_ns,
		.cpu_ns = window->held ? 0 : cpu_ns,
		.breaks = to->breaks,
		.flags = window->held ? window->flags : window->flags | SCAPH_FLAG_CPU,
	};
}

/* What the source does not have, or has lost, stays 0 with its bit clear. */
static struct scaph_slot exact_record(const struct scaph_publisher *pub,
				      const struct scaph_publication *to,
				      const struct scaph_window *window,
				      const struct scaph_tally *tally)
{
	struct scaph_slot record = empty_record(to, window, tally->cpu_ns);
	uint32_t zones = pub->terms->source->zones;

	if (pub->lost || window->held)
		return record;
	/* Not said of a price: how late the host was would be told to those who see nothing of it. */
	if (window->coarse)
		record.flags |= SCAPH_FLAG_COARSE;
	if (zones & SCAPH_ZONE_PACKAGE) {
		record.flags |= SCAPH_FLAG_PACKAGE;
		record.package_uj = scaph_units_uj(tally->package.total_units);
	}
	if (zones & SCAPH_ZONE_CORE) {
		record.flags |= SCAPH_FLAG_CORE;
		record.core_uj = scaph_units_uj(tally->core.total_units);
	}
	if (zones & SCAPH_ZONE_DRAM) {
		record.flags |= window->by_traffic ? SCAPH_FLAG_DRAM | SCAPH_FLAG_TRAFFIC
						   : SCAPH_FLAG_DRAM;
		record.dram_uj = scaph_units_uj(tally->dram.total_units);
	}
	if (zones & SCAPH_ZONE_PACKAGE && pub->splitter[0].idle_known) {
		record.flags |= SCAPH_FLAG_IDLE;
		record.idle_uj = scaph_units_uj(tally->package.idle_units);
	}
	return record;
}

/* Of the host only what holds for a period is in here, and what every machine can know of itself. */
static struct scaph_slot priced_record(const struct scaph_publisher *pub,
				       const struct scaph_publication *to,
				       const struct scaph_window *window,
				       const struct scaph_tally *tally)
{
	struct scaph_slot record = empty_record(to, window, tally->cpu_ns);

	record.flags |= SCAPH_FLAG_PRICED;
	if (pub->lost || window->held || to->reasons & SCAPH_REASON_PRICE_PENDING)
		return record;
	record.flags |= SCAPH_FLAG_PACKAGE;
	record.package_uj = scaph_units_uj(tally->priced.total_units);
	if (pub->tally.held_idle_uw) {
		record.flags |= SCAPH_FLAG_IDLE;
		record.idle_uj = scaph_units_uj(tally->priced.idle_units);
	}
	return record;
}

static void publish_entry(struct scaph_publisher *pub, struct scaph_entry *entry,
			  const struct scaph_window *window)
{
	struct scaph_publication *to = &entry->publication;
	struct scaph_slot exact, priced = {};

	if (is_shared(entry)) {
		to->reasons &= ~(uint32_t)(SCAPH_REASON_PRICE_PENDING | SCAPH_REASON_IDLE_UNKNOWN);
		to->reasons |= pub->tally.price[0] ? 0 : SCAPH_REASON_PRICE_PENDING;
		to->reasons |= pub->tally.held_idle_uw ? 0 : SCAPH_REASON_IDLE_UNKNOWN;
		priced = priced_record(pub, to, window, &entry->tally);
	}
	exact = exact_record(pub, to, window, &entry->tally);
	scaph_publication_record(to, &exact, &priced);
}

static void publish_host(struct scaph_publisher *pub, const struct scaph_window *window)
{
	const struct scaph_tally tally = {
		.package = { pub->tally.zone_units[SCAPH_ZONE_AT_PACKAGE], pub->tally.idle_units },
		.core = { pub->tally.zone_units[SCAPH_ZONE_AT_CORE], 0 },
		.dram = { pub->tally.zone_units[SCAPH_ZONE_AT_DRAM], 0 },
		.cpu_ns = pub->tally.busy_ns,
	};
	struct scaph_slot record = exact_record(pub, &pub->host, window, &tally);

	scaph_publication_record(&pub->host, &record, &record);
}

void scaph_division_publish(struct scaph_publisher *pub, const struct scaph_window *window)
{
	for (uint32_t i = 0; i < pub->count; i++) {
		if (i + 2 * SCAPH_WRITER_AHEAD < pub->count)
			scaph_publication_approach(
				&pub->live[i + 2 * SCAPH_WRITER_AHEAD]->publication);
		if (i + SCAPH_WRITER_AHEAD < pub->count)
			scaph_publication_prefetch(&pub->live[i + SCAPH_WRITER_AHEAD]->publication);
		if (present(pub->live[i]))
			publish_entry(pub, pub->live[i], window);
	}
	publish_host(pub, window);
}
