/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulletin.c - the status block in public terms
 *
 * Bits and states have the numbers of the wire; those that the library does not name are not handed out.
 */
#include <errno.h>

#include "consumer/reader.h"
#include "consumer/scaph.h"
#include "shm/cursor.h"

#define SAME(public, wire) static_assert((int)(public) == (int)(wire), #public)

SAME(SCAPH_BULLETIN_LIVE, SCAPH_STATE_LIVE);
SAME(SCAPH_BULLETIN_PAUSED, SCAPH_STATE_PAUSED);
SAME(SCAPH_BULLETIN_RETIRED, SCAPH_STATE_RETIRED);
SAME(SCAPH_BULLETIN_PROFILE_OFF, SCAPH_REASON_PROFILE_OFF);
SAME(SCAPH_BULLETIN_IDLE_UNKNOWN, SCAPH_REASON_IDLE_UNKNOWN);
SAME(SCAPH_BULLETIN_SOURCE_LOST, SCAPH_REASON_SOURCE_LOST);
SAME(SCAPH_BULLETIN_METER_LOST, SCAPH_REASON_METER_LOST);
SAME(SCAPH_BULLETIN_DOMAIN_GONE, SCAPH_REASON_DOMAIN_GONE);
SAME(SCAPH_BULLETIN_PRODUCER_ENDED, SCAPH_REASON_PRODUCER_ENDED);
SAME(SCAPH_BULLETIN_RATE_LOW, SCAPH_REASON_RATE_LOW);
SAME(SCAPH_BULLETIN_PRICE_PENDING, SCAPH_REASON_PRICE_PENDING);
SAME(SCAPH_BULLETIN_SAMPLING_LOWERED, SCAPH_REASON_SAMPLING_LOWERED);
SAME(SCAPH_BULLETIN_OVER_BUDGET, SCAPH_REASON_OVER_BUDGET);
SAME(SCAPH_BULLETIN_HAS_WALL, SCAPH_STATUS_WALL);
SAME(SCAPH_BULLETIN_HAS_UNCORE, SCAPH_STATUS_UNCORE);
SAME(SCAPH_BULLETIN_HAS_PSYS, SCAPH_STATUS_PSYS);
SAME(SCAPH_BULLETIN_HAS_RESIDUAL, SCAPH_STATUS_RESIDUAL);
SAME(SCAPH_BULLETIN_HAS_UNATTRIBUTED, SCAPH_STATUS_UNATTRIBUTED);
SAME(SCAPH_BULLETIN_HAS_FLOAT, SCAPH_STATUS_FLOAT);
SAME(SCAPH_BULLETIN_HAS_OWN, SCAPH_STATUS_OWN);
SAME(SCAPH_BULLETIN_HAS_SAMPLING, SCAPH_STATUS_SAMPLING);

#define HAS_ALL                                                                                    \
	((uint64_t)SCAPH_BULLETIN_HAS_WALL | SCAPH_BULLETIN_HAS_UNCORE | SCAPH_BULLETIN_HAS_PSYS | \
	 SCAPH_BULLETIN_HAS_RESIDUAL | SCAPH_BULLETIN_HAS_UNATTRIBUTED |                           \
	 SCAPH_BULLETIN_HAS_FLOAT | SCAPH_BULLETIN_HAS_OWN | SCAPH_BULLETIN_HAS_SAMPLING)

static uint64_t known(const struct scaph_status *status, uint64_t bit, uint64_t value)
{
	return status->valid & bit ? value : 0;
}

static void add_sampling(const struct scaph_status *status, struct scaph_bulletin *bulletin)
{
	if (!(status->valid & SCAPH_STATUS_SAMPLING))
		return;
	bulletin->look_spent_ns = status->look_spent_ns;
	bulletin->looks = status->looks;
	bulletin->read_rate_millihz = status->read_rate_millihz;
	bulletin->own_load_ppm = status->own_load_ppm;
	bulletin->cpu_budget_ppm = status->cpu_budget_ppm;
	bulletin->sampling_step = status->sampling_step;
	bulletin->sampling_steps = status->sampling_steps;
}

__attribute__((visibility("default"))) int scaph_bulletin_read(struct scaph_reader *reader,
							       struct scaph_bulletin *ret)
{
	struct scaph_cursor *cursor = scaph_reader_cursor(reader);
	struct scaph_status status;
	int r;

	if (ret->size != sizeof(*ret))
		return -EINVAL;
	if (!scaph_cursor_descriptor(cursor))
		return SCAPH_UNPROVEN;
	r = scaph_cursor_status(cursor, &status);
	if (r < 0)
		return r;
	if (r)
		return SCAPH_EMPTY;
	*ret = (struct scaph_bulletin){
		.size = sizeof(*ret),
		.epoch_id = status.epoch_id,
		.state = status.state,
		.reasons = status.reasons,
		.valid = status.valid & HAS_ALL,
		.wall_ns = known(&status, SCAPH_STATUS_WALL, status.wall_ns),
		.mono_ns = known(&status, SCAPH_STATUS_WALL, status.mono_ns),
		.uncore_uj = known(&status, SCAPH_STATUS_UNCORE, status.uncore_uj),
		.psys_uj = known(&status, SCAPH_STATUS_PSYS, status.psys_uj),
		.residual_uj = known(&status, SCAPH_STATUS_RESIDUAL, status.residual_uj),
		.unattributed_uj =
			known(&status, SCAPH_STATUS_UNATTRIBUTED, status.unattributed_uj),
		.float_uj = (int64_t)known(&status, SCAPH_STATUS_FLOAT, (uint64_t)status.float_uj),
		.own_uj = known(&status, SCAPH_STATUS_OWN, status.own_uj),
		.own_cpu_ns = known(&status, SCAPH_STATUS_OWN, status.own_cpu_ns),
	};
	add_sampling(&status, ret);
	return SCAPH_OK;
}
