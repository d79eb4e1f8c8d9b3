/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epochs.h - where a reader stood in the last epochs it saw
 *
 * A restored guest's old pages can bring an epoch back for a moment. Whoever remembers its place
 * there delivers nothing twice. The oldest place is forgotten when a ninth epoch comes.
 */
#ifndef SCAPH_SHM_EPOCHS_H
#define SCAPH_SHM_EPOCHS_H

#include <stdbool.h>
#include <stdint.h>

#define SCAPH_EPOCHS_REMEMBERED 8U

struct scaph_epochs {
	struct {
		uint64_t epoch_id; /* 0: free */
		uint64_t next_index;
	} place[SCAPH_EPOCHS_REMEMBERED];
	uint32_t oldest;
};

/* Keep the place of an epoch, over the one kept before. */
void scaph_epochs_remember(struct scaph_epochs *epochs, uint64_t epoch_id, uint64_t next_index);

/* Whether a place is kept for an epoch; @ret_next_index is set only then. */
bool scaph_epochs_recall(const struct scaph_epochs *epochs, uint64_t epoch_id,
			 uint64_t *ret_next_index);

#endif
