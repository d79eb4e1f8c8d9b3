/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epochs.c - a ring of remembered places
 */
#include "shm/epochs.h"

void scaph_epochs_remember(struct scaph_epochs *epochs, uint64_t epoch_id, uint64_t next_index)
{
	for (uint32_t i = 0; i < SCAPH_EPOCHS_REMEMBERED; i++) {
		if (epochs->place[i].epoch_id == epoch_id) {
			epochs->place[i].next_index = next_index;
			return;
		}
	}
	epochs->place[epochs->oldest].epoch_id = epoch_id;
	epochs->place[epochs->oldest].next_index = next_index;
	epochs->oldest = (epochs->oldest + 1) % SCAPH_EPOCHS_REMEMBERED;
}

bool scaph_epochs_recall(const struct scaph_epochs *epochs, uint64_t epoch_id,
			 uint64_t *ret_next_index)
{
	for (uint32_t i = 0; i < SCAPH_EPOCHS_REMEMBERED; i++) {
		if (epochs->place[i].epoch_id == epoch_id) {
			*ret_next_index = epochs->place[i].next_index;
			return true;
		}
	}
	return false;
}
