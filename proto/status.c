/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c - sealing and checking a private copy of the status block
 */
#include "proto/status.h"

#include <string.h>

#include "proto/crc32c.h"

static uint32_t status_crc(const void *bytes, uint32_t count)
{
	return scaph_crc32c_block(bytes, count, offsetof(struct scaph_status, crc));
}

void scaph_status_seal(struct scaph_status *status)
{
	status->status_bytes = sizeof(*status);
	status->crc = status_crc(status, sizeof(*status));
}

enum scaph_status_verdict scaph_status_check(const void *bytes, uint64_t epoch_id,
					     struct scaph_status *ret_status)
{
	struct scaph_status status;

	memcpy(&status, bytes, sizeof(status));
	if (status.gen & 1)
		return SCAPH_STATUS_BUSY;
	if (status.epoch_id != epoch_id)
		return SCAPH_STATUS_FOREIGN;
	if (status.status_bytes < SCAPH_STATUS_MIN_BYTES ||
	    status.status_bytes > SCAPH_STATUS_MAX_BYTES || status.status_bytes % 8)
		return SCAPH_STATUS_BAD;
	if (status.crc != status_crc(bytes, status.status_bytes))
		return SCAPH_STATUS_BAD;
	/* A shorter one is of a writer that did not know the last fields yet. */
	if (status.status_bytes < sizeof(status))
		memset((char *)&status + status.status_bytes, 0,
		       sizeof(status) - status.status_bytes);
	*ret_status = status;
	return SCAPH_STATUS_OK;
}
