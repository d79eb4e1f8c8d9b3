/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h - sealing and checking a private copy of a segment's status block
 */
#ifndef SCAPH_PROTO_STATUS_H
#define SCAPH_PROTO_STATUS_H

#include <stdint.h>

#include "proto/layout.h"

enum scaph_status_verdict {
	SCAPH_STATUS_OK,
	SCAPH_STATUS_BUSY, /* being written: look again */
	SCAPH_STATUS_FOREIGN, /* of another epoch, or not written yet */
	SCAPH_STATUS_BAD, /* length or checksum wrong */
};

/* Set status_bytes and crc; gen must be in its final even form. */
void scaph_status_seal(struct scaph_status *status);

/**
 * scaph_status_check() - check a private copy of the status block
 * @bytes:      SCAPH_STATUS_MAX_BYTES bytes of private memory
 * @epoch_id:   the epoch it must belong to
 * @ret_status: set only on SCAPH_STATUS_OK; fields this layout does not have are 0
 *
 * Return:   enum scaph_status_verdict.
 */
enum scaph_status_verdict scaph_status_check(const void *bytes, uint64_t epoch_id,
					     struct scaph_status *ret_status);

#endif
