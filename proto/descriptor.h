/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.h - sealing and checking a private copy of a segment's descriptor
 *
 * Pure functions. A checked descriptor is safe to compute with: every offset and length in it has been bounded by the
 * segment's size with overflow-safe arithmetic, every enum is passed on as a number that views must be ready not to know.
 */
#ifndef SCAPH_PROTO_DESCRIPTOR_H
#define SCAPH_PROTO_DESCRIPTOR_H

#include <stdint.h>

#include "proto/layout.h"

enum scaph_descriptor_verdict {
	SCAPH_DESCRIPTOR_OK,
	SCAPH_DESCRIPTOR_NO_MAGIC, /* not a segment, or not one yet */
	SCAPH_DESCRIPTOR_BUSY, /* being written: look again */
	SCAPH_DESCRIPTOR_BYTE_ORDER, /* written for the other byte order */
	SCAPH_DESCRIPTOR_TOO_NEW, /* compatible_with is newer than this code */
	SCAPH_DESCRIPTOR_MUST_UNKNOWN, /* a must-understand bit is unknown */
	SCAPH_DESCRIPTOR_BAD_LENGTH, /* desc_bytes out of range */
	SCAPH_DESCRIPTOR_BAD_CHECKSUM, /* torn or damaged: look again, then refuse */
	SCAPH_DESCRIPTOR_BAD_EPOCH, /* an epoch_id whose tag may not be */
	SCAPH_DESCRIPTOR_BAD_DIRECTORY, /* a block outside the segment, or no fast ring */
	SCAPH_DESCRIPTOR_BAD_WINDOW, /* window of 0 or above 1000 s */
};

/* Where one ring lies. count is a power of two. */
struct scaph_ring_place {
	uint64_t offset;
	uint32_t stride;
	uint32_t count;
};

/* What a reader keeps of a checked descriptor. */
struct scaph_geometry {
	struct scaph_ring_place fast;
	struct scaph_ring_place slow; /* count 0: there is none */
};

/**
 * scaph_descriptor_init() - zero a descriptor and set what never varies in layout 1
 * @desc: magic, layout, compatible_with, byte_order, desc_bytes are set; all else is 0
 */
void scaph_descriptor_init(struct scaph_descriptor *desc);

/**
 * scaph_descriptor_place_rings() - fill the directory for a window
 * @desc:      window_ns set
 * @ret_bytes: size of the segment file that holds it, a multiple of 4096
 *
 * Fast ring: the least power of two of slots that holds 4 s, at least 1024; slow ring: 1024 slots.
 */
void scaph_descriptor_place_rings(struct scaph_descriptor *desc, uint64_t *ret_bytes);

/* Set crc over desc_bytes bytes; gen must be in its final even form. */
void scaph_descriptor_seal(struct scaph_descriptor *desc);

/**
 * scaph_descriptor_check() - check a private copy of a segment's first 4096 bytes
 * @bytes:         SCAPH_DESC_MAX_BYTES bytes of private memory
 * @segment_bytes: size of the segment they came from
 * @ret_desc:      set only on SCAPH_DESCRIPTOR_OK; the name is terminated
 * @ret_geometry:  set only on SCAPH_DESCRIPTOR_OK
 *
 * Return:   enum scaph_descriptor_verdict.
 */
enum scaph_descriptor_verdict scaph_descriptor_check(const void *bytes, uint64_t segment_bytes,
						     struct scaph_descriptor *ret_desc,
						     struct scaph_geometry *ret_geometry);

/* One clause for people, e.g. "made by a newer scaphd (layout 3); update the reader". Never NULL. */
const char *scaph_descriptor_verdict_text(enum scaph_descriptor_verdict verdict);

#endif
