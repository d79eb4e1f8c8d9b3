/* SPDX-License-Identifier: Apache-2.0 */
/*
 * track.h - one segment of a recording, as far as it has been played
 *
 * Frames that are due wait in its queue for whoever looks at the segment, as records wait in a ring. Owner: one feed.
 */
#ifndef SCAPH_RECORDING_TRACK_H
#define SCAPH_RECORDING_TRACK_H

#include <stdbool.h>

#include "consumer/recording/file.h"
#include "consumer/totals.h"

struct scaph_track {
	uint32_t number;
	bool gone; /* once its queue is empty */
	struct scaph_totals totals; /* of the records that were taken */
	uint64_t lost;
	char reason[248]; /* of the state that it is in */
	bool has_bulletin;
	struct scaph_bulletin bulletin;
	uint8_t *queue; /* frames, each a head and what follows */
	size_t size, begin, end;
};

struct scaph_track *scaph_track_new(uint32_t number);
struct scaph_track *scaph_track_free(struct scaph_track *track);

/* Queue a frame. 0, -ENOBUFS: more than any true recording has between two looks, or -ENOMEM. */
int scaph_track_push(struct scaph_track *track, const struct scaph_frame *frame);

/* Take the next; false: none waits. */
bool scaph_track_pop(struct scaph_track *track, struct scaph_frame *ret_frame);

static inline bool scaph_track_waits(const struct scaph_track *track)
{
	return track->begin != track->end;
}

/* Frames in public terms. */
struct scaph_record scaph_frame_to_record(const struct scaph_frame *frame);
struct scaph_info scaph_frame_to_info(const struct scaph_frame *frame);
struct scaph_bulletin scaph_frame_to_bulletin(const struct scaph_frame *frame);

#endif
