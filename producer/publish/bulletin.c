/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulletin.c - statuses
 */
#include "producer/publish/bulletin.h"

#include "producer/process/clock.h"
#include "producer/publish/sampling.h"

/* Reasons that all publications share, as they are now. */
static uint32_t common_reasons(const struct scaph_publisher *pub, const struct scaph_status *status)
{
	uint64_t expected_millihz = 1000 * SCAPH_NS_PER_S / pub->terms->window_ns;
	uint32_t reasons = 0;

	if (!pub->splitter[0].idle_known)
		reasons |= SCAPH_REASON_IDLE_UNKNOWN;
	if (pub->lost || pub->held)
		reasons |= SCAPH_REASON_SOURCE_LOST;
	if (pub->sweep_failed)
		reasons |= SCAPH_REASON_METER_LOST;
	/* A tenth of the windows missing. */
	if (status->valid & SCAPH_STATUS_RATE &&
	    status->record_rate_millihz < expected_millihz / 10 * 9)
		reasons |= SCAPH_REASON_RATE_LOW;
	if (pub->budget.step)
		reasons |= SCAPH_REASON_SAMPLING_LOWERED;
	if (pub->budget.over)
		reasons |= SCAPH_REASON_OVER_BUDGET;
	return reasons;
}

static struct scaph_status status_of(const struct scaph_publisher *pub, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns - pub->second_ns;
	struct scaph_status status = {
		.wall_ns = scaph_clock_ns(CLOCK_REALTIME),
		.mono_ns = now_ns,
		.valid = SCAPH_STATUS_WALL,
	};

	/* A rate over less than a second, at the start or the end, would say little. */
	if (elapsed_ns >= SCAPH_SLOW_PERIOD_NS) {
		status.valid |= SCAPH_STATUS_RATE;
		status.record_rate_millihz =
			(uint64_t)pub->records_this_second * 1000 * SCAPH_NS_PER_S / elapsed_ns;
	}
	status.reasons = common_reasons(pub, &status);
	return status;
}

/* Rounded towards zero: a difference of less than a microjoule is none. */
static int64_t signed_uj(__int128 units)
{
	return (int64_t)(units / (__int128)SCAPH_UNITS_PER_UJ);
}

/* Beside a shared domain's exact figures: what its guest was told too little. */
static struct scaph_status domain_host_status(const struct scaph_entry *entry,
					      const struct scaph_status *status)
{
	const struct scaph_tally *tally = &entry->tally;
	struct scaph_status host = *status;

	if (entry->domain.profile != SCAPH_PROFILE_SHARED)
		return host;
	host.valid |= SCAPH_STATUS_FLOAT;
	host.float_uj = signed_uj((__int128)tally->package.total_units -
				  (__int128)tally->priced.total_units);
	return host;
}

static __int128 float_units(const struct scaph_publisher *pub)
{
	__int128 sum = 0;

	for (uint32_t p = 0; p < pub->packages; p++)
		sum += pub->tally.float_units[p];
	return sum;
}

/* What belongs to no domain, all of it package energy. */
static void add_package_values(const struct scaph_publisher *pub, struct scaph_status *status)
{
	const struct scaph_host_tally *tally = &pub->tally;

	status->valid |= SCAPH_STATUS_RESIDUAL | SCAPH_STATUS_UNATTRIBUTED | SCAPH_STATUS_FLOAT |
			 SCAPH_STATUS_OWN | SCAPH_STATUS_PACKAGES;
	status->residual_uj = scaph_units_uj(tally->zone_units[SCAPH_ZONE_AT_PACKAGE] -
					     tally->given_units - tally->unattributed_units);
	status->unattributed_uj = scaph_units_uj(tally->unattributed_units);
	status->float_uj = signed_uj(float_units(pub));
	status->own_uj = scaph_units_uj(tally->own_units);
	status->own_cpu_ns = tally->own_cpu_ns;
	status->package_count = pub->packages;
	for (uint32_t p = 0; p < pub->packages; p++)
		status->package_uj[p] =
			scaph_units_uj(pub->last[p].zone_units[SCAPH_ZONE_AT_PACKAGE]);
}

/* How the host's energy is made up. */
static void add_host_values(const struct scaph_publisher *pub, struct scaph_status *status)
{
	const struct scaph_host_tally *tally = &pub->tally;
	uint32_t zones = pub->terms->source->zones;

	if (scaph_source_has_package(pub->terms->source))
		add_package_values(pub, status);
	scaph_sampling_tell(pub, status);
	if (zones & SCAPH_ZONE_UNCORE) {
		status->valid |= SCAPH_STATUS_UNCORE;
		status->uncore_uj = scaph_units_uj(tally->zone_units[SCAPH_ZONE_AT_UNCORE]);
	}
	if (zones & SCAPH_ZONE_PSYS) {
		status->valid |= SCAPH_STATUS_PSYS;
		status->psys_uj = scaph_units_uj(tally->zone_units[SCAPH_ZONE_AT_PSYS]);
	}
}

static void all_second(struct scaph_publisher *pub, uint64_t now_ns)
{
	struct scaph_status status = status_of(pub, now_ns);

	for (uint32_t i = 0; i < pub->count; i++) {
		struct scaph_status host = domain_host_status(pub->live[i], &status);

		scaph_publication_second(&pub->live[i]->publication, &status, &host);
	}
	add_host_values(pub, &status);
	scaph_publication_second(&pub->host, &status, &status);
}

void scaph_bulletin_second(struct scaph_publisher *pub, uint64_t now_ns)
{
	all_second(pub, now_ns);
	pub->records_this_second = 0;
	pub->second_ns = now_ns;
}

static void retire(struct scaph_publication *to, uint32_t reason)
{
	to->state = SCAPH_STATE_RETIRED;
	to->reasons |= reason;
}

void scaph_bulletin_retire(struct scaph_entry *entry)
{
	struct scaph_status status = {
		.wall_ns = scaph_clock_ns(CLOCK_REALTIME),
		.mono_ns = scaph_clock_ns(CLOCK_MONOTONIC),
		.valid = SCAPH_STATUS_WALL,
	};
	struct scaph_status host = domain_host_status(entry, &status);

	retire(&entry->publication, SCAPH_REASON_DOMAIN_GONE);
	scaph_publication_second(&entry->publication, &status, &host);
}

void scaph_bulletin_retire_all(struct scaph_publisher *pub, uint64_t now_ns)
{
	for (uint32_t i = 0; i < pub->count; i++)
		retire(&pub->live[i]->publication, SCAPH_REASON_PRODUCER_ENDED);
	retire(&pub->host, SCAPH_REASON_PRODUCER_ENDED);
	all_second(pub, now_ns);
}
