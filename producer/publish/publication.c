/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publication.c - epochs, records and statuses in the outlets of a publication; the publisher thread's part
 */
#include "producer/publish/publication.h"

#include <errno.h>
#include <sys/random.h>

#include "proto/seq.h"

/*
 * From the kernel's randomness and nothing else, so that no clock or counter can make two lives
 * collide.
 */
static int fresh_epoch_id(uint64_t *ret_epoch_id)
{
	uint64_t id;

	do {
		if (getrandom(&id, sizeof(id), 0) != sizeof(id))
			return -EIO;
	} while (!scaph_epoch_id_usable(id));
	*ret_epoch_id = id;
	return 0;
}

/* What a shared domain is told of: the package, and nothing about the host. */
static uint32_t zones_for(const struct scaph_publication *pub, const struct scaph_outlet *outlet,
			  uint32_t zones)
{
	if (outlet->kind != SCAPH_OUTLET_HOST && pub->desc.profile != SCAPH_PROFILE_TRUSTED)
		return zones & SCAPH_ZONE_PACKAGE;
	return zones;
}

int scaph_publication_begin_epoch(struct scaph_publication *pub, uint64_t origin_ns)
{
	uint64_t guest_id, host_id;
	int r = fresh_epoch_id(&guest_id);

	if (r == 0)
		r = fresh_epoch_id(&host_id);
	if (r)
		return r;
	pub->breaks = 0;
	pub->origin_ns = origin_ns;
	for (uint32_t i = 0; i < pub->outlets; i++) {
		struct scaph_outlet *outlet = &pub->outlet[i];
		bool host = outlet->kind == SCAPH_OUTLET_HOST;
		struct scaph_descriptor desc = pub->desc;

		desc.epoch_id = host ? host_id : guest_id;
		desc.origin_mono_ns = host ? origin_ns : 0;
		desc.zones = zones_for(pub, outlet, desc.zones);
		scaph_guard_enter(&outlet->segment.guard);
		scaph_writer_adopt(&outlet->writer, outlet->segment.guard.map,
				   outlet->segment.bytes, &desc);
		scaph_guard_leave();
	}
	return 0;
}

uint8_t scaph_publication_failed(const struct scaph_publication *pub)
{
	uint8_t failed = 0;

	for (uint32_t i = 0; i < pub->outlets; i++) {
		if (scaph_guard_failed(&pub->outlet[i].segment.guard))
			failed |= (uint8_t)(1U << pub->outlet[i].kind);
	}
	return failed;
}

static bool sees_records(const struct scaph_publication *pub, const struct scaph_outlet *outlet)
{
	return outlet->kind == SCAPH_OUTLET_HOST || pub->desc.profile != SCAPH_PROFILE_OFF;
}

static bool sees_exact(const struct scaph_publication *pub, const struct scaph_outlet *outlet)
{
	return outlet->kind == SCAPH_OUTLET_HOST || pub->desc.profile == SCAPH_PROFILE_TRUSTED;
}

int scaph_publication_record(struct scaph_publication *pub, const struct scaph_slot *exact,
			     const struct scaph_slot *guest)
{
	int r = 0;

	for (uint32_t i = 0; i < pub->outlets && r == 0; i++) {
		struct scaph_outlet *outlet = &pub->outlet[i];
		const struct scaph_slot *record;

		if (!sees_records(pub, outlet) || scaph_guard_failed(&outlet->segment.guard))
			continue;
		record = sees_exact(pub, outlet) ? exact : guest;
		scaph_guard_enter(&outlet->segment.guard);
		r = scaph_writer_publish(&outlet->writer, record);
		if (pub->slow_due && r == 0)
			scaph_writer_publish_slow(&outlet->writer, record);
		scaph_guard_leave();
	}
	pub->slow_due = false;
	return r;
}

void scaph_publication_approach(const struct scaph_publication *pub)
{
	/* Most have a share and the host's copy; looking how many there are would be the miss itself. */
	for (uint32_t i = 0; i < 2; i++) {
		__builtin_prefetch(&pub->outlet[i].segment, 1);
		__builtin_prefetch(&pub->outlet[i].writer.fast_prefix, 1);
	}
	__builtin_prefetch(&pub->outlets);
	__builtin_prefetch(&pub->slow_due, 1);
}

void scaph_publication_prefetch(const struct scaph_publication *pub)
{
	for (uint32_t i = 0; i < pub->outlets; i++)
		scaph_writer_prefetch(&pub->outlet[i].writer);
}

void scaph_publication_beat(struct scaph_publication *pub)
{
	for (uint32_t i = 0; i < pub->outlets; i++) {
		scaph_guard_enter(&pub->outlet[i].segment.guard);
		scaph_writer_beat(&pub->outlet[i].writer);
		scaph_guard_leave();
	}
}

#define HOST_REASONS                                                                               \
	((uint32_t)(SCAPH_REASON_RATE_LOW | SCAPH_REASON_IDLE_UNKNOWN |                            \
		    SCAPH_REASON_SAMPLING_LOWERED | SCAPH_REASON_OVER_BUDGET))

/*
 * Whoever does not see exact figures is told nothing that tells about the host: no rates, no values
 * but its own, and only reasons that concern the guest itself.
 */
static struct scaph_status status_for(const struct scaph_publication *pub,
				      const struct scaph_outlet *outlet,
				      const struct scaph_status *status)
{
	struct scaph_status own = *status;

	own.mono_ns -= pub->origin_ns;
	own.state = pub->state;
	own.reasons |= pub->reasons;
	if (outlet->kind == SCAPH_OUTLET_HOST)
		own.reasons = status->reasons |
			      (pub->reasons &
			       ~(uint32_t)(SCAPH_REASON_PROFILE_OFF | SCAPH_REASON_PRICE_PENDING |
					   SCAPH_REASON_IDLE_UNKNOWN));
	if (!sees_exact(pub, outlet)) {
		own = (struct scaph_status){
			.wall_ns = own.wall_ns,
			.mono_ns = own.mono_ns,
			.valid = own.valid & SCAPH_STATUS_WALL,
			.state = own.state,
			.reasons = (status->reasons & ~HOST_REASONS) | pub->reasons,
		};
	}
	return own;
}

void scaph_publication_second(struct scaph_publication *pub, const struct scaph_status *status,
			      const struct scaph_status *host_status)
{
	pub->slow_due = true;
	for (uint32_t i = 0; i < pub->outlets; i++) {
		struct scaph_outlet *outlet = &pub->outlet[i];
		bool host = outlet->kind == SCAPH_OUTLET_HOST;
		struct scaph_status own = status_for(pub, outlet, host ? host_status : status);

		if (scaph_guard_failed(&outlet->segment.guard))
			continue;
		scaph_guard_enter(&outlet->segment.guard);
		scaph_writer_set_status(&outlet->writer, &own);
		scaph_guard_leave();
	}
}

void scaph_publication_refresh(struct scaph_publication *pub)
{
	for (uint32_t i = 0; i < pub->outlets; i++) {
		struct scaph_outlet *outlet = &pub->outlet[i];

		if (scaph_guard_failed(&outlet->segment.guard))
			continue;
		scaph_guard_enter(&outlet->segment.guard);
		scaph_writer_refresh(&outlet->writer);
		scaph_guard_leave();
	}
}
