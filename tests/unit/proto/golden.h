/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden.h - the fields behind the golden files; tests/contract/golden.py has the same ones, from SPEC.md
 */
#ifndef SCAPH_TEST_GOLDEN_H
#define SCAPH_TEST_GOLDEN_H

#include <string.h>

#include "proto/descriptor.h"
#include "proto/seq.h"
#include "proto/slot.h"
#include "proto/status.h"

#define GOLDEN_EPOCH 0x0123456789abcdefULL
#define GOLDEN_SEGMENT_BYTES 139264U

static const uint8_t golden_uuid[SCAPH_UUID_BYTES] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad,
						       0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0,
						       0x4f, 0xd4, 0x30, 0xc8 };

static inline struct scaph_descriptor golden_descriptor(void)
{
	struct scaph_descriptor desc;
	uint64_t bytes;

	scaph_descriptor_init(&desc);
	desc.gen = ((uint64_t)0xabcdef << 40) + 2;
	desc.epoch_id = GOLDEN_EPOCH;
	desc.subject = SCAPH_SUBJECT_DOMAIN;
	memcpy(desc.uuid, golden_uuid, sizeof(desc.uuid));
	strcpy(desc.name, "web \xc3\xa4\xe2\x82\xac");
	desc.window_ns = 20000000;
	desc.zones = SCAPH_ZONE_PACKAGE | SCAPH_ZONE_CORE | SCAPH_ZONE_DRAM;
	desc.source = SCAPH_SOURCE_MSR;
	desc.meter = SCAPH_METER_BPF;
	desc.profile = SCAPH_PROFILE_TRUSTED;
	desc.quality = SCAPH_QUALITY_MEASURED;
	scaph_descriptor_place_rings(&desc, &bytes);
	scaph_descriptor_seal(&desc);
	return desc;
}

static inline struct scaph_status golden_status(void)
{
	struct scaph_status status = {
		.gen = ((uint64_t)0xabcdef << 40) + 4,
		.epoch_id = GOLDEN_EPOCH,
		.state = SCAPH_STATE_LIVE,
		.reasons = SCAPH_REASON_IDLE_UNKNOWN,
		.wall_ns = 1700000000123456789ULL,
		.mono_ns = 987654321,
		.valid = SCAPH_STATUS_WALL | SCAPH_STATUS_RATE | SCAPH_STATUS_UNCORE |
			 SCAPH_STATUS_PACKAGES | SCAPH_STATUS_FLOAT | SCAPH_STATUS_OWN |
			 SCAPH_STATUS_SAMPLING,
		.record_rate_millihz = 50000,
		.uncore_uj = 4711,
		.package_count = 2,
		.package_uj = { 1000001, 2000002 },
		.float_uj = -77,
		.own_uj = 88,
		.own_cpu_ns = 99,
		.look_spent_ns = 111,
		.looks = 12,
		.read_rate_millihz = 50001,
		.own_load_ppm = 13000,
		.cpu_budget_ppm = 10000,
		.sampling_step = 1,
		.sampling_steps = 3,
	};

	scaph_status_seal(&status);
	return status;
}

/* Three slots: the first of the fast ring, its last possible index, and one of the slow ring. */
static inline void golden_slots(struct scaph_slot ret_slots[3])
{
	static const uint64_t index[3] = { 0, SCAPH_INDEX_MAX, 7 };
	static const uint32_t ring[3] = { SCAPH_BLOCK_FAST, SCAPH_BLOCK_FAST, SCAPH_BLOCK_SLOW };

	for (int i = 0; i < 3; i++) {
		uint64_t k = (uint64_t)i + 1;

		ret_slots[i] = (struct scaph_slot){
			.seq = scaph_seq_complete(0xabcdef, index[i]),
			.mono_ns = 20000000 * k,
			.package_uj = 0x1111111111111111 * k,
			.core_uj = 0x0202020202020202 * k,
			.dram_uj = 0x30303030 * k,
			.idle_uj = 4 * k,
			.cpu_ns = 19999999 * k,
			.breaks = (uint16_t)(i * 255),
			.flags = (uint16_t)(i == 2 ? 0x3f11 : 0x001f),
		};
		scaph_slot_seal(scaph_slot_prefix(GOLDEN_EPOCH, golden_uuid, ring[i]),
				&ret_slots[i]);
	}
}

#endif
