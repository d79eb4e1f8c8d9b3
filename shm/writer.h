/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h - the one writer of a segment
 *
 * Descriptor, heads and status it keeps in private memory; it never reads the segment. So it decides nothing from bytes a
 * guest may have changed, and can put those back (scaph_writer_refresh) after a restore or migration.
 *
 * Mutual exclusion: one thread per writer. Readers: any number, never waited for. Each call is wait-free and bounded,
 * makes no system call, takes no lock, allocates nothing.
 * If the mapping is guarded the caller brackets the calls with scaph_guard_enter() and scaph_guard_leave().
 */
#ifndef SCAPH_SHM_WRITER_H
#define SCAPH_SHM_WRITER_H

#include <stdatomic.h>
#include <stdint.h>

#include "proto/layout.h"

/* Positive result of scaph_writer_publish(). */
enum scaph_writer_result {
	SCAPH_WRITER_EPOCH_FULL =
		1, /* index or breaks would wrap: adopt with a new epoch, then publish again */
};

/*
 * Publication touches the first 64 bytes and no others: over a thousand segments in turn it is lines that cost. No record is
 * kept: what was published is in nobody's hands but the caller's.
 */
struct scaph_writer {
	_Atomic uint64_t *fast_ring; /* in the segment */
	_Atomic uint64_t *fast_head; /* in the segment */
	uint64_t fast_mask;
	uint64_t next_index;
	uint32_t tag;
	uint32_t fast_prefix;
	uint16_t breaks; /* of the newest record */
	void *map;
	uint64_t bytes;

	uint64_t beat;
	uint64_t next_slow_index;
	uint64_t slow_mask;
	uint64_t slow_offset;
	uint32_t slow_prefix;
	struct scaph_descriptor desc; /* gen: even, as last completed */
	struct scaph_status status;
};

/**
 * scaph_writer_adopt() - begin an epoch in a segment, whatever it held
 * @writer: any state; overwritten
 * @map:    the whole segment, writable
 * @bytes:  its size, at least what scaph_descriptor_place_rings() said for @desc
 * @desc:   complete but for gen and crc: epoch_id usable and fresh from getrandom, rings placed
 *
 * Busy generation, every slot of both rings zeroed, heads, status and fields, complete generation. A crash at any point leaves
 * a segment that no reader accepts. State is live, no reasons, nothing valid.
 *
 * Ordering: W4, W5, W3 (pair with R4, R5, R3).
 * Source:   proto/SPEC.md, "Adoption".
 */
void scaph_writer_adopt(struct scaph_writer *writer, void *map, uint64_t bytes,
			const struct scaph_descriptor *desc);

/**
 * scaph_writer_publish() - publish one closed window
 * @writer: adopted
 * @record: bytes 8-59 count; seq and crc are the writer's business
 *
 * Ordering: W1, W2, W3 (pair with R2, R1, R3).
 * Return:   0 or SCAPH_WRITER_EPOCH_FULL (nothing was published).
 */
int scaph_writer_publish(struct scaph_writer *writer, const struct scaph_slot *record);

/* How many segments ahead scaph_writer_prefetch() pays most: measured, tools/bench. */
#define SCAPH_WRITER_AHEAD 8U

/*
 * Ask for the lines that the next publish will store to: some publishes ahead, when many segments are written in turn.
 * Changes nothing; any number of calls.
 */
void scaph_writer_prefetch(const struct scaph_writer *writer);

/* Put the record that was just published into the slow ring as well: once a second. Ordering: as publish. */
void scaph_writer_publish_slow(struct scaph_writer *writer, const struct scaph_slot *record);

/* Store the next beat: at least ten times a second whatever the window. */
void scaph_writer_beat(struct scaph_writer *writer);

/**
 * scaph_writer_set_status() - rewrite the status block
 * @status: gen, crc, status_bytes and epoch_id are the writer's business
 *
 * Ordering: W4, W5 (pair with R5, R4).
 */
void scaph_writer_set_status(struct scaph_writer *writer, const struct scaph_status *status);

/**
 * scaph_writer_refresh() - put descriptor, status and heads back from private memory
 *
 * Once a second, and at once on start, resume, restore and migration events. Slots are not touched.
 * Ordering: W4, W5, W3 (pair with R5, R4, R3).
 */
void scaph_writer_refresh(struct scaph_writer *writer);

#endif
