/* SPDX-License-Identifier: Apache-2.0 */
/*
 * track.c - a queue of frames
 */
#include "consumer/recording/track.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A view looks at least once a second of the recording's time: 100,000 records. */
#define QUEUE_BYTES_MAX (16U << 20)
#define QUEUE_BYTES_LEAST 4096U

struct scaph_track *scaph_track_new(uint32_t number)
{
	struct scaph_track *track = calloc(1, sizeof(*track));

	if (track)
		track->number = number;
	return track;
}

struct scaph_track *scaph_track_free(struct scaph_track *track)
{
	if (track)
		free(track->queue);
	free(track);
	return NULL;
}

static int make_room(struct scaph_track *track, size_t bytes)
{
	size_t used = track->end - track->begin, size = track->size;
	uint8_t *grown;

	if (track->size - track->end >= bytes)
		return 0;
	if (used)
		memmove(track->queue, track->queue + track->begin, used);
	track->begin = 0;
	track->end = used;
	while (size - used < bytes)
		size = size ? 2 * size : QUEUE_BYTES_LEAST;
	if (size > QUEUE_BYTES_MAX)
		return -ENOBUFS;
	if (size == track->size)
		return 0;
	grown = realloc(track->queue, size);
	if (!grown)
		return -ENOMEM;
	track->queue = grown;
	track->size = size;
	return 0;
}

int scaph_track_push(struct scaph_track *track, const struct scaph_frame *frame)
{
	size_t bytes = sizeof(frame->head) + frame->head.bytes;
	int r = make_room(track, bytes);

	if (r)
		return r;
	memcpy(track->queue + track->end, &frame->head, sizeof(frame->head));
	memcpy(track->queue + track->end + sizeof(frame->head), frame->bytes, frame->head.bytes);
	track->end += bytes;
	return 0;
}

bool scaph_track_pop(struct scaph_track *track, struct scaph_frame *ret_frame)
{
	if (!scaph_track_waits(track))
		return false;
	memcpy(&ret_frame->head, track->queue + track->begin, sizeof(ret_frame->head));
	track->begin += sizeof(ret_frame->head);
	memcpy(ret_frame->bytes, track->queue + track->begin, ret_frame->head.bytes);
	track->begin += ret_frame->head.bytes;
	return true;
}

struct scaph_record scaph_frame_to_record(const struct scaph_frame *frame)
{
	const struct scaph_frame_record *from = &frame->record;

	return (struct scaph_record){
		.epoch_id = from->epoch_id,
		.number = from->number,
		.mono_ns = from->mono_ns,
		.package_uj = from->package_uj,
		.core_uj = from->core_uj,
		.dram_uj = from->dram_uj,
		.idle_uj = from->idle_uj,
		.cpu_ns = from->cpu_ns,
		.breaks = from->breaks,
		.flags = from->flags,
	};
}

#define COPY(to, from) snprintf(to, sizeof(to), "%s", from)

struct scaph_info scaph_frame_to_info(const struct scaph_frame *frame)
{
	const struct scaph_frame_info *from = &frame->info;
	struct scaph_info info = {
		.size = sizeof(info),
		.epoch_id = from->epoch_id,
		.window_ns = from->window_ns,
		.origin_mono_ns = from->origin_mono_ns,
		.is_host = from->is_host == 1,
		.is_estimated = from->is_estimated == 1,
	};

	COPY(info.name, from->name);
	memcpy(info.uuid, from->uuid, sizeof(info.uuid));
	COPY(info.source, from->source);
	COPY(info.meter, from->meter);
	COPY(info.profile, from->profile);
	COPY(info.mode, from->mode);
	return info;
}

struct scaph_bulletin scaph_frame_to_bulletin(const struct scaph_frame *frame)
{
	const struct scaph_frame_bulletin *from = &frame->bulletin;

	return (struct scaph_bulletin){
		.size = sizeof(struct scaph_bulletin),
		.epoch_id = from->epoch_id,
		.state = from->state,
		.reasons = from->reasons,
		.valid = from->valid,
		.wall_ns = from->wall_ns,
		.mono_ns = from->mono_ns,
		.uncore_uj = from->uncore_uj,
		.psys_uj = from->psys_uj,
		.residual_uj = from->residual_uj,
		.unattributed_uj = from->unattributed_uj,
		.float_uj = from->float_uj,
		.own_uj = from->own_uj,
		.own_cpu_ns = from->own_cpu_ns,
		.look_spent_ns = from->look_spent_ns,
		.looks = from->looks,
		.read_rate_millihz = from->read_rate_millihz,
		.own_load_ppm = from->own_load_ppm,
		.cpu_budget_ppm = from->cpu_budget_ppm,
		.sampling_step = from->sampling_step,
		.sampling_steps = from->sampling_steps,
	};
}
