/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.h - the bytes of a segment, layout 1
 *
 * What belongs here: offsets, sizes, enum values and the C structs that have exactly those offsets. Nothing here acts.
 * proto/SPEC.md is the document for people and for other languages; tests/contract holds the two together.
 *
 * All fields are little-endian and naturally aligned, so that on a little-endian machine the structs can be laid over a
 * private copy of the bytes. They are never laid over shared memory: only shm/ touches that, in relaxed 64-bit words.
 */
#ifndef SCAPH_PROTO_LAYOUT_H
#define SCAPH_PROTO_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "scaphring's structs follow the wire: a big-endian machine needs a conversion layer first"
#endif

/* Fixed for ever, whatever the layout: see SPEC.md, "What never changes". */
#define SCAPH_MAGIC 0x676e726870616373ULL /* bytes 0-7 read "scaphrng" */
#define SCAPH_BYTE_ORDER_CHECK 0x01020304U
#define SCAPH_DESC_OFFSET 0x0000U
#define SCAPH_DESC_MAX_BYTES 0x1000U
#define SCAPH_HEAD_OFFSET 0x1000U
#define SCAPH_HEAD_BYTES 0x100U
#define SCAPH_STATUS_OFFSET 0x1100U
#define SCAPH_STATUS_MAX_BYTES 0xf00U
#define SCAPH_STATUS_MIN_BYTES 256U
#define SCAPH_PREFIX_BYTES 0x2000U /* descriptor, head line and status: one look of 8 KiB */

/* Layout 1. */
#define SCAPH_LAYOUT 1U
#define SCAPH_LAYOUT_COMPATIBLE 1U
#define SCAPH_MUST_KNOWN 0ULL /* must-understand bits this code understands */
#define SCAPH_UUID_BYTES 16U
#define SCAPH_NAME_BYTES 256U
#define SCAPH_BLOCKS_MAX 8U
#define SCAPH_SLOT_BYTES 64U
#define SCAPH_BLOCK_ALIGN 4096U
#define SCAPH_FAST_SLOTS_MIN 1024U
#define SCAPH_SLOW_SLOTS 1024U
#define SCAPH_FAST_SPAN_NS 4000000000ULL /* the fast ring holds at least this span */
#define SCAPH_SLOW_PERIOD_NS 1000000000ULL
#define SCAPH_BEAT_PERIOD_NS 100000000ULL /* the beat is stored at least this often */
#define SCAPH_RING_SLOTS_MAX (1U << 20) /* a directory that says more is not believed */
#define SCAPH_SEGMENT_BYTES_MAX (1ULL << 30)
#define SCAPH_PACKAGES_MAX 16U

/* seq = complete 2n+2 or busy 2n+1 with n = tag << 39 | index; see proto/seq.h */
#define SCAPH_TAG_SHIFT 40
#define SCAPH_TAG_MASK 0xffffffU
#define SCAPH_INDEX_MAX ((1ULL << 39) - 2) /* a new epoch begins before index 2^39 - 1 */

enum scaph_block_type {
	SCAPH_BLOCK_NONE = 0,
	SCAPH_BLOCK_FAST = 1, /* ring of records, one a window */
	SCAPH_BLOCK_SLOW = 2, /* ring of records, one a second */
};

enum scaph_subject {
	SCAPH_SUBJECT_DOMAIN = 1,
	SCAPH_SUBJECT_HOST = 2,
};

enum scaph_zone_bit {
	SCAPH_ZONE_PACKAGE = 1U << 0,
	SCAPH_ZONE_CORE = 1U << 1,
	SCAPH_ZONE_UNCORE = 1U << 2,
	SCAPH_ZONE_DRAM = 1U << 3,
	SCAPH_ZONE_PSYS = 1U << 4,
};

enum scaph_source_id {
	SCAPH_SOURCE_MSR = 1,
	SCAPH_SOURCE_PERF = 2,
	SCAPH_SOURCE_POWERCAP = 3,
	SCAPH_SOURCE_MODEL = 4,
	SCAPH_SOURCE_REPLAY = 5,
	SCAPH_SOURCE_RING = 6,
	SCAPH_SOURCE_RESCTRL = 7,
};

enum scaph_meter_id {
	SCAPH_METER_BPF = 1,
	SCAPH_METER_CPUTIME = 2,
};

enum scaph_profile_id {
	SCAPH_PROFILE_TRUSTED = 1,
	SCAPH_PROFILE_SHARED = 2,
	SCAPH_PROFILE_OFF = 3,
};

enum scaph_quality {
	SCAPH_QUALITY_MEASURED = 1,
	SCAPH_QUALITY_ESTIMATED = 2,
};

enum scaph_state {
	SCAPH_STATE_LIVE = 1,
	SCAPH_STATE_PAUSED = 2,
	SCAPH_STATE_RETIRED = 3,
};

/* Record flags. An unknown bit among 5-7 means: do not use this record. */
enum scaph_flag {
	SCAPH_FLAG_PACKAGE = 1U << 0, /* package_uj is valid; and so on */
	SCAPH_FLAG_CORE = 1U << 1,
	SCAPH_FLAG_DRAM = 1U << 2,
	SCAPH_FLAG_IDLE = 1U << 3,
	SCAPH_FLAG_CPU = 1U << 4,
	SCAPH_FLAG_CRITICAL_MASK = 7U << 5,
	SCAPH_FLAG_ESTIMATED = 1U << 8,
	SCAPH_FLAG_FILTERED = 1U << 9,
	SCAPH_FLAG_LATE = 1U << 10,
	SCAPH_FLAG_COARSE = 1U << 11,
	SCAPH_FLAG_PRICED = 1U << 12,
	SCAPH_FLAG_TRAFFIC = 1U << 13, /* dram_uj moved by memory traffic, not by CPU time */
};
#define SCAPH_FLAG_CRITICAL_KNOWN 0U

/* Why something is absent: bits of scaph_status.reasons. */
enum scaph_reason {
	SCAPH_REASON_PROFILE_OFF = 1U << 0, /* records are withheld by the profile */
	SCAPH_REASON_IDLE_UNKNOWN = 1U << 1, /* no idle power known: no idle split */
	SCAPH_REASON_SOURCE_LOST = 1U << 2, /* the energy source ended or fails */
	SCAPH_REASON_METER_LOST = 1U << 3, /* the CPU time of this domain cannot be read */
	SCAPH_REASON_DOMAIN_GONE = 1U << 4, /* the domain's process ended */
	SCAPH_REASON_PRODUCER_ENDED = 1U << 5, /* the producer ended in order */
	SCAPH_REASON_RATE_LOW = 1U << 6, /* windows close later than configured */
	SCAPH_REASON_PRICE_PENDING = 1U << 7, /* no price of CPU time is known yet */
	SCAPH_REASON_SAMPLING_LOWERED = 1U << 8, /* to keep to a CPU budget; windows are as ever */
	SCAPH_REASON_OVER_BUDGET = 1U << 9, /* and that does not suffice */
};

/* Bits of scaph_status.valid: which of the slow or rare values are there. */
enum scaph_status_valid {
	SCAPH_STATUS_WALL = 1U << 0,
	SCAPH_STATUS_RATE = 1U << 1,
	SCAPH_STATUS_UNCORE = 1U << 2,
	SCAPH_STATUS_PSYS = 1U << 3,
	SCAPH_STATUS_DRAM_IDLE = 1U << 4,
	SCAPH_STATUS_RUNQ = 1U << 5,
	SCAPH_STATUS_RESIDUAL = 1U << 6,
	SCAPH_STATUS_UNATTRIBUTED = 1U << 7,
	SCAPH_STATUS_PACKAGES = 1U << 8,
	SCAPH_STATUS_FLOAT = 1U << 9,
	SCAPH_STATUS_OWN = 1U << 10,
	SCAPH_STATUS_SAMPLING = 1U << 11, /* look_spent_ns to sampling_steps */
};

/* One entry of the descriptor's directory. Offsets count from the segment's first byte. */
struct scaph_block {
	uint32_t type; /* enum scaph_block_type; unknown ones are skipped */
	uint32_t stride;
	uint64_t offset;
	uint64_t bytes; /* stride x count */
	uint64_t count; /* a power of two for rings */
};

struct scaph_descriptor {
	uint64_t magic;
	uint64_t gen; /* busy odd, complete even, tag << 40 | counter */
	uint32_t layout;
	uint32_t compatible_with;
	uint32_t byte_order;
	uint32_t desc_bytes;
	uint64_t epoch_id;
	uint64_t must_bits;
	uint64_t may_bits;
	uint32_t crc;
	uint32_t subject; /* enum scaph_subject */
	uint8_t uuid[SCAPH_UUID_BYTES];
	char name[SCAPH_NAME_BYTES]; /* UTF-8, padded with NUL, at least one NUL */
	uint64_t window_ns;
	uint32_t zones;
	uint32_t source;
	uint32_t meter;
	uint32_t profile;
	uint32_t quality;
	uint32_t block_count;
	uint64_t origin_mono_ns; /* host segments only, else 0 */
	uint64_t reserved[1];
	struct scaph_block blocks[SCAPH_BLOCKS_MAX];
};

/* The head line: each field is one 64-bit word, stored and loaded alone. */
struct scaph_head {
	uint64_t fast_head;
	uint64_t slow_head;
	uint64_t beat;
	uint64_t reserved[29];
};

struct scaph_status {
	uint64_t gen;
	uint32_t crc;
	uint32_t status_bytes;
	uint64_t epoch_id;
	uint32_t state; /* enum scaph_state */
	uint32_t reasons; /* enum scaph_reason */
	uint64_t wall_ns; /* CLOCK_REALTIME at ... */
	uint64_t mono_ns; /* ... this time since the epoch's origin */
	uint64_t valid; /* enum scaph_status_valid */
	uint64_t record_rate_millihz; /* records closed per 1000 s over the last second */
	uint64_t uncore_uj;
	uint64_t psys_uj;
	uint64_t dram_idle_uj;
	uint64_t runq_wait_ns;
	uint64_t residual_uj; /* host segment: energy that belongs to no domain */
	uint64_t unattributed_uj; /* host segment: energy of gaps, divided among nobody */
	uint32_t package_count;
	uint32_t reserved0;
	uint64_t package_uj[SCAPH_PACKAGES_MAX];
	uint64_t reserved1;
	/* Below: absent from a status of 256 bytes. */
	int64_t float_uj; /* host segments: exact energy less what was published at a price */
	uint64_t own_uj; /* host segment: energy of the producer itself, part of the residual */
	uint64_t own_cpu_ns;
	/* Host segment: what measuring costs. Reserved and 0 before there were these. */
	uint64_t look_spent_ns; /* CPU time of looking for the counters' steps, since it began */
	uint64_t looks; /* so many */
	uint64_t read_rate_millihz; /* readings of a package's counters over the last second */
	uint32_t own_load_ppm; /* CPU time of the producer over some seconds, of one core */
	uint32_t cpu_budget_ppm; /* what it may be; 0: anything */
	uint32_t sampling_step; /* sampling is lowered by, for that; 0: not at all */
	uint32_t sampling_steps; /* that there are */
};

/* A record as it lies in a slot: one cache line. */
struct scaph_slot {
	uint64_t seq;
	uint64_t mono_ns;
	uint64_t package_uj;
	uint64_t core_uj;
	uint64_t dram_uj;
	uint64_t idle_uj;
	uint64_t cpu_ns;
	uint16_t breaks;
	uint16_t flags;
	uint32_t crc;
};

#define SCAPH_SLOT_WORDS (SCAPH_SLOT_BYTES / 8)
#define SCAPH_AT(type, field, at)                                                                  \
	static_assert(offsetof(struct type, field) == (at), #type "." #field)

SCAPH_AT(scaph_block, type, 0);
SCAPH_AT(scaph_block, stride, 4);
SCAPH_AT(scaph_block, offset, 8);
SCAPH_AT(scaph_block, bytes, 16);
SCAPH_AT(scaph_block, count, 24);
static_assert(sizeof(struct scaph_block) == 32, "block");

SCAPH_AT(scaph_descriptor, magic, 0);
SCAPH_AT(scaph_descriptor, gen, 8);
SCAPH_AT(scaph_descriptor, layout, 16);
SCAPH_AT(scaph_descriptor, compatible_with, 20);
SCAPH_AT(scaph_descriptor, byte_order, 24);
SCAPH_AT(scaph_descriptor, desc_bytes, 28);
SCAPH_AT(scaph_descriptor, epoch_id, 32);
SCAPH_AT(scaph_descriptor, must_bits, 40);
SCAPH_AT(scaph_descriptor, may_bits, 48);
SCAPH_AT(scaph_descriptor, crc, 56);
SCAPH_AT(scaph_descriptor, subject, 60);
SCAPH_AT(scaph_descriptor, uuid, 64);
SCAPH_AT(scaph_descriptor, name, 80);
SCAPH_AT(scaph_descriptor, window_ns, 336);
SCAPH_AT(scaph_descriptor, zones, 344);
SCAPH_AT(scaph_descriptor, source, 348);
SCAPH_AT(scaph_descriptor, meter, 352);
SCAPH_AT(scaph_descriptor, profile, 356);
SCAPH_AT(scaph_descriptor, quality, 360);
SCAPH_AT(scaph_descriptor, block_count, 364);
SCAPH_AT(scaph_descriptor, origin_mono_ns, 368);
SCAPH_AT(scaph_descriptor, reserved, 376);
SCAPH_AT(scaph_descriptor, blocks, 384);
static_assert(sizeof(struct scaph_descriptor) == 640, "descriptor");

SCAPH_AT(scaph_head, fast_head, 0);
SCAPH_AT(scaph_head, slow_head, 8);
SCAPH_AT(scaph_head, beat, 16);
static_assert(sizeof(struct scaph_head) == SCAPH_HEAD_BYTES, "head line");

SCAPH_AT(scaph_status, gen, 0);
SCAPH_AT(scaph_status, crc, 8);
SCAPH_AT(scaph_status, status_bytes, 12);
SCAPH_AT(scaph_status, epoch_id, 16);
SCAPH_AT(scaph_status, state, 24);
SCAPH_AT(scaph_status, reasons, 28);
SCAPH_AT(scaph_status, wall_ns, 32);
SCAPH_AT(scaph_status, mono_ns, 40);
SCAPH_AT(scaph_status, valid, 48);
SCAPH_AT(scaph_status, record_rate_millihz, 56);
SCAPH_AT(scaph_status, uncore_uj, 64);
SCAPH_AT(scaph_status, psys_uj, 72);
SCAPH_AT(scaph_status, dram_idle_uj, 80);
SCAPH_AT(scaph_status, runq_wait_ns, 88);
SCAPH_AT(scaph_status, residual_uj, 96);
SCAPH_AT(scaph_status, unattributed_uj, 104);
SCAPH_AT(scaph_status, package_count, 112);
SCAPH_AT(scaph_status, package_uj, 120);
SCAPH_AT(scaph_status, float_uj, 256);
SCAPH_AT(scaph_status, own_uj, 264);
SCAPH_AT(scaph_status, own_cpu_ns, 272);
SCAPH_AT(scaph_status, look_spent_ns, 280);
SCAPH_AT(scaph_status, looks, 288);
SCAPH_AT(scaph_status, read_rate_millihz, 296);
SCAPH_AT(scaph_status, own_load_ppm, 304);
SCAPH_AT(scaph_status, cpu_budget_ppm, 308);
SCAPH_AT(scaph_status, sampling_step, 312);
SCAPH_AT(scaph_status, sampling_steps, 316);
static_assert(sizeof(struct scaph_status) == 320, "status");

SCAPH_AT(scaph_slot, seq, 0);
SCAPH_AT(scaph_slot, mono_ns, 8);
SCAPH_AT(scaph_slot, package_uj, 16);
SCAPH_AT(scaph_slot, core_uj, 24);
SCAPH_AT(scaph_slot, dram_uj, 32);
SCAPH_AT(scaph_slot, idle_uj, 40);
SCAPH_AT(scaph_slot, cpu_ns, 48);
SCAPH_AT(scaph_slot, breaks, 56);
SCAPH_AT(scaph_slot, flags, 58);
SCAPH_AT(scaph_slot, crc, 60);
static_assert(sizeof(struct scaph_slot) == SCAPH_SLOT_BYTES, "slot");

#endif
