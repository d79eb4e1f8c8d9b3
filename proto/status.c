/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c - sealing and checking a private copy of the status block
 */
#include "proto/status.h"

#include <string.h>

#include "proto/crc32c.h"

/* Over status_bytes bytes with the CRC's own four taken as zero. */
static uint32_t status_crc(const uint8_t *bytes, uint32_t count)
{
	static const uint8_t zero[4];
	size_t at = offsetof(struct scaph_status, crc);
	uint32_t state = SCAPH_CRC32C_INIT;

	state = scaph_crc32c_update(state, bytes, at);
	state = scaph_crc32c_update(state, zero, sizeof(zero));
	return scaph_crc32c_final(scaph_crc32c_update(state, bytes + at + 4, count - at - 4));
}

void scaph_status_seal(struct scaph_status *status)
{
	status->status_bytes = sizeof(*status);
	status->crc = status_crc((const uint8_t *)status, sizeof(*status));
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
	if (status.status_bytes < sizeof(status) || status.status_bytes > SCAPH_STATUS_MAX_BYTES ||
	    status.status_bytes % 8)
		return SCAPH_STATUS_BAD;
	if (status.crc != status_crc(bytes, status.status_bytes))
		return SCAPH_STATUS_BAD;
	*ret_status = status;
	return SCAPH_STATUS_OK;
}
