/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - the bytes of a recording: what the segments said that a view was looking at
 *
 * A header, then frames in the order of their time. Little-endian, fixed width, every offset asserted; scaph-recording(5) has the
 * table. Each frame has a checksum, so that a file that was cut or spoiled shows nothing wrong. Texts are ended by a NUL.
 */
#ifndef SCAPH_RECORDING_FRAME_H
#define SCAPH_RECORDING_FRAME_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "as the segments themselves");

#define SCAPH_RECORDING_MAGIC "SCAPHREC"
#define SCAPH_RECORDING_VERSION 1U
#define SCAPH_FRAME_BYTES_MAX 1024U /* of what follows a head */
#define SCAPH_TRACKS_MAX 8192U

struct scaph_recording_head {
	char magic[8];
	uint32_t version;
	uint32_t head_bytes;
	uint64_t wall_ns; /* CLOCK_REALTIME at the start */
	uint32_t folder; /* 1: of a host's folder, segments come and go; else 0 */
	uint8_t reserved[32];
	uint32_t crc; /* CRC-32C of the bytes before */
};
static_assert(sizeof(struct scaph_recording_head) == 64, "head");
static_assert(offsetof(struct scaph_recording_head, crc) == 60, "head");

/* Numbers for ever; one that a reader does not know is passed over. */
enum scaph_frame_type {
	SCAPH_FRAME_INFO =
		1, /* a segment's description, before its first record and when it changes */
	SCAPH_FRAME_RECORD = 2,
	SCAPH_FRAME_STATE = 3, /* why no record comes; about once a second while none does */
	SCAPH_FRAME_BULLETIN = 4, /* about once a second */
	SCAPH_FRAME_GONE = 5, /* the segment is no longer there */
};

struct scaph_frame_head {
	uint32_t type; /* enum scaph_frame_type */
	uint32_t bytes; /* that follow */
	uint64_t at_ns; /* since the start; never less than in the frame before, nor 10 days more */
	uint32_t track; /* a segment's number in this file */
	uint32_t crc; /* CRC-32C of this head with 0 here, and of what follows */
};
static_assert(sizeof(struct scaph_frame_head) == 24, "frame");
static_assert(offsetof(struct scaph_frame_head, crc) == 20, "frame");

struct scaph_frame_info {
	char name[256];
	char uuid[40];
	char source[16];
	char meter[16];
	char profile[16];
	char mode[16];
	uint64_t epoch_id;
	uint64_t window_ns;
	uint64_t origin_mono_ns;
	uint32_t is_host;
	uint32_t is_estimated;
};
static_assert(sizeof(struct scaph_frame_info) == 392, "info");
static_assert(offsetof(struct scaph_frame_info, epoch_id) == 360, "info");

struct scaph_frame_record {
	uint64_t epoch_id;
	uint64_t number;
	uint64_t mono_ns;
	uint64_t package_uj;
	uint64_t core_uj;
	uint64_t dram_uj;
	uint64_t idle_uj;
	uint64_t cpu_ns;
	uint32_t breaks;
	uint32_t flags;
	uint64_t lost; /* records lost so far, as the recorder read them */
};
static_assert(sizeof(struct scaph_frame_record) == 80, "record");

struct scaph_frame_state {
	int32_t state; /* enum scaph_result, or a negative errno */
	uint32_t reserved;
	char reason[248];
};
static_assert(sizeof(struct scaph_frame_state) == 256, "state");

struct scaph_frame_bulletin {
	uint64_t epoch_id;
	uint32_t state;
	uint32_t reasons;
	uint64_t valid;
	uint64_t wall_ns;
	uint64_t mono_ns;
	uint64_t uncore_uj;
	uint64_t psys_uj;
	uint64_t residual_uj;
	uint64_t unattributed_uj;
	int64_t float_uj;
	uint64_t own_uj;
	uint64_t own_cpu_ns;
	uint64_t look_spent_ns;
	uint64_t looks;
	uint64_t read_rate_millihz;
	uint32_t own_load_ppm;
	uint32_t cpu_budget_ppm;
	uint32_t sampling_step;
	uint32_t sampling_steps;
};
static_assert(sizeof(struct scaph_frame_bulletin) == 136, "bulletin");

/* The checksum of a frame. */
uint32_t scaph_frame_sum(const struct scaph_frame_head *head, const void *payload);

/* What a type's payload has at least, for later versions may add to its end; 0: any. */
uint32_t scaph_frame_bytes(uint32_t type);

#endif
