/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulletin.c - statuses
 */
#include "producer/bulletin.h"

#include "producer/clock.h"

/* Reasons that all publications share, as they are now. */
static uint32_t common_reasons(const struct scaph_publisher *pub, const struct scaph_status *status)
{
	uint64_t expected_millihz = 1000 * SCAPH_NS_PER_S / pub->window_ns;
	uint32_t reasons = 0;

	if (pub->last.lost)
		reasons |= SCAPH_REASON_SOURCE_LOST;
	if (pub->sweep_failed)
		reasons |= SCAPH_REASON_METER_LOST;
	/* A tenth of the windows missing. */
	if (status->valid & SCAPH_STATUS_RATE &&
	    status->record_rate_millihz < expected_millihz / 10 * 9)
		reasons |= SCAPH_REASON_RATE_LOW;
	return reasons;
}

static struct scaph_status status_of(const struct scaph_publisher *pub, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns - pub->second_ns;
	struct scaph_status status = {
		.wall_ns = scaph_clock_ns(CLOCK_REALTIME),
		.mono_ns = now_ns - pub->origin_ns,
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

/* What belongs to no domain; dust below a microjoule of each account stays here too. */
static uint64_t residual_uj(const struct scaph_publisher *pub)
{
	uint64_t sum_uj = pub->unattributed_uj;

	for (uint32_t i = 0; i < pub->count; i++)
		sum_uj += scaph_units_uj(pub->domains[i].package.total_units);
	return pub->host_uj[SCAPH_ZONE_AT_PACKAGE] - sum_uj;
}

static void add_host_values(const struct scaph_publisher *pub, struct scaph_status *status)
{
	status->valid |= SCAPH_STATUS_RESIDUAL | SCAPH_STATUS_UNATTRIBUTED;
	status->residual_uj = residual_uj(pub);
	status->unattributed_uj = pub->unattributed_uj;
	if (pub->zones & SCAPH_ZONE_UNCORE) {
		status->valid |= SCAPH_STATUS_UNCORE;
		status->uncore_uj = pub->host_uj[SCAPH_ZONE_AT_UNCORE];
	}
	if (pub->zones & SCAPH_ZONE_PSYS) {
		status->valid |= SCAPH_STATUS_PSYS;
		status->psys_uj = pub->host_uj[SCAPH_ZONE_AT_PSYS];
	}
}

void scaph_bulletin_second(struct scaph_publisher *pub, uint64_t now_ns)
{
	struct scaph_status status = status_of(pub, now_ns);

	for (uint32_t i = 0; i < pub->count; i++) {
		if (pub->domains[i].state != SCAPH_STATE_RETIRED)
			scaph_publication_second(&pub->domains[i], &status);
	}
	add_host_values(pub, &status);
	scaph_publication_second(&pub->host, &status);
	pub->records_this_second = 0;
	pub->second_ns = now_ns;
}

static void retire(struct scaph_publication *to, uint32_t reason, const struct scaph_status *status)
{
	to->state = SCAPH_STATE_RETIRED;
	to->reasons |= reason;
	scaph_publication_second(to, status);
}

void scaph_bulletin_retire_gone(struct scaph_publisher *pub, uint64_t now_ns)
{
	for (uint32_t i = 0; i < pub->count; i++) {
		struct scaph_status status;

		if (!pub->readings[i].gone || pub->domains[i].state == SCAPH_STATE_RETIRED)
			continue;
		status = status_of(pub, now_ns);
		retire(&pub->domains[i], SCAPH_REASON_DOMAIN_GONE, &status);
	}
}

void scaph_bulletin_retire_all(struct scaph_publisher *pub, uint64_t now_ns)
{
	struct scaph_status status = status_of(pub, now_ns);

	for (uint32_t i = 0; i < pub->count; i++) {
		if (pub->domains[i].state != SCAPH_STATE_RETIRED)
			retire(&pub->domains[i], SCAPH_REASON_PRODUCER_ENDED, &status);
	}
	add_host_values(pub, &status);
	retire(&pub->host, SCAPH_REASON_PRODUCER_ENDED, &status);
}
