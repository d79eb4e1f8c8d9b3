/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_record.c - everything that the other views would show, as frames of a recording
 *
 * Frames are gathered and sent before the loop sleeps: 20 times a second, whole ones only, so that the file ends with one whenever
 * the command is ended.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "consumer/command/view.h"
#include "consumer/recording/frame.h"
#include "proto/crc32c.h"

#define NS_PER_S 1000000000ULL
#define SEND_BYTES (256U << 10)

/* What has been written of a segment. A feed's place is its track's number and 1. */
struct written {
	bool present;
	bool seen; /* in this look */
	bool has_info;
	struct scaph_info info;
};

/* Of this process. */
static struct written *tracks;
static uint32_t track_count;
static uint8_t gathered[SEND_BYTES + 2 * SCAPH_FRAME_BYTES_MAX];
static size_t gathered_bytes;
static uint64_t start_ns, bulletin_ns;

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void send_all(struct scaph_worker *worker)
{
	if (gathered_bytes)
		scaph_worker_print(worker, (const char *)gathered, gathered_bytes);
	gathered_bytes = 0;
}

static void gather(const void *bytes, size_t count)
{
	memcpy(gathered + gathered_bytes, bytes, count);
	gathered_bytes += count;
}

static void begin(const struct scaph_feeds *feeds)
{
	struct scaph_recording_head head = {
		.magic = SCAPH_RECORDING_MAGIC,
		.version = SCAPH_RECORDING_VERSION,
		.head_bytes = sizeof(head),
		.wall_ns = clock_ns(CLOCK_REALTIME),
		.folder = feeds->folder,
	};

	start_ns = clock_ns(CLOCK_MONOTONIC);
	head.crc = scaph_crc32c_final(scaph_crc32c_update(
		SCAPH_CRC32C_INIT, &head, offsetof(struct scaph_recording_head, crc)));
	gather(&head, sizeof(head));
}

static void frame(struct scaph_worker *worker, uint32_t type, uint32_t track, const void *payload)
{
	struct scaph_frame_head head = {
		.type = type,
		.bytes = scaph_frame_bytes(type),
		.at_ns = clock_ns(CLOCK_MONOTONIC) - start_ns,
		.track = track,
	};

	head.crc = scaph_frame_sum(&head, payload);
	gather(&head, sizeof(head));
	gather(payload, head.bytes);
	if (gathered_bytes >= SEND_BYTES)
		send_all(worker);
}

/* The feed's track; NULL: there are too many. */
static struct written *track_of(struct scaph_feed *feed)
{
	struct written *grown;

	if (!feed->place) {
		if (track_count == SCAPH_TRACKS_MAX)
			return NULL;
		grown = reallocarray(tracks, track_count + 1, sizeof(*tracks));
		if (!grown)
			return NULL;
		tracks = grown;
		tracks[track_count++] = (struct written){ .present = true };
		feed->place = track_count;
	}
	return &tracks[feed->place - 1];
}

static void put_info(struct scaph_worker *worker, const struct scaph_feed *feed,
		     struct written *written)
{
	const struct scaph_info *info = &feed->info;
	struct scaph_frame_info to = {
		.epoch_id = info->epoch_id,
		.window_ns = info->window_ns,
		.origin_mono_ns = info->origin_mono_ns,
		.is_host = info->is_host ? 1 : 0,
		.is_estimated = info->is_estimated ? 1 : 0,
	};

	if (written->has_info &&
	    (!feed->described || memcmp(&written->info, info, sizeof(*info)) == 0))
		return;
	if (feed->described) {
		memcpy(to.name, info->name, sizeof(to.name));
		memcpy(to.uuid, info->uuid, sizeof(info->uuid));
		memcpy(to.source, info->source, sizeof(to.source));
		memcpy(to.meter, info->meter, sizeof(to.meter));
		memcpy(to.profile, info->profile, sizeof(to.profile));
		memcpy(to.mode, info->mode, sizeof(to.mode));
		written->info = *info;
		written->has_info = true;
	}
	/* One that is not described yet makes its track known all the same. */
	frame(worker, SCAPH_FRAME_INFO, feed->place - 1, &to);
}

static void put_record(struct scaph_worker *worker, const struct scaph_feed *feed)
{
	const struct scaph_record *from = &feed->record;
	struct scaph_frame_record to = {
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
		.lost = scaph_feed_lost(feed),
	};

	frame(worker, SCAPH_FRAME_RECORD, feed->place - 1, &to);
}

static void put_state(struct scaph_worker *worker, struct scaph_feed *feed)
{
	struct scaph_frame_state to = { .state = feed->reader ? feed->state : feed->error };
	const char *reason = scaph_feed_reason(feed);
	size_t length = strnlen(reason, sizeof(to.reason) - 1);

	memcpy(to.reason, reason, length);
	frame(worker, SCAPH_FRAME_STATE, feed->place - 1, &to);
}

/* A record, or once a second that none comes. */
static void record_line(struct scaph_worker *worker, struct scaph_feeds *feeds,
			struct scaph_feed *feed)
{
	struct written *written = track_of(feed);

	if (!written)
		return;
	if (!start_ns)
		begin(feeds);
	put_info(worker, feed, written);
	if (scaph_feed_has_figure(feed))
		put_record(worker, feed);
	else
		put_state(worker, feed);
}

static void put_bulletin(struct scaph_worker *worker, struct scaph_feed *feed)
{
	struct scaph_bulletin from = { .size = sizeof(from) };
	struct scaph_frame_bulletin to;

	if (!feed->reader || scaph_feed_bulletin(feed, &from) != SCAPH_OK)
		return;
	to = (struct scaph_frame_bulletin){
		.epoch_id = from.epoch_id,
		.state = from.state,
		.reasons = from.reasons,
		.valid = from.valid,
		.wall_ns = from.wall_ns,
		.mono_ns = from.mono_ns,
		.uncore_uj = from.uncore_uj,
		.psys_uj = from.psys_uj,
		.residual_uj = from.residual_uj,
		.unattributed_uj = from.unattributed_uj,
		.float_uj = from.float_uj,
		.own_uj = from.own_uj,
		.own_cpu_ns = from.own_cpu_ns,
		.look_spent_ns = from.look_spent_ns,
		.looks = from.looks,
		.read_rate_millihz = from.read_rate_millihz,
		.own_load_ppm = from.own_load_ppm,
		.cpu_budget_ppm = from.cpu_budget_ppm,
		.sampling_step = from.sampling_step,
		.sampling_steps = from.sampling_steps,
	};
	frame(worker, SCAPH_FRAME_BULLETIN, feed->place - 1, &to);
}

/* Segments that are no longer there. */
static void put_gone(struct scaph_worker *worker, const struct scaph_feeds *feeds)
{
	for (uint32_t i = 0; i < track_count; i++)
		tracks[i].seen = false;
	for (uint32_t i = 0; i < feeds->count; i++) {
		if (feeds->feed[i].place)
			tracks[feeds->feed[i].place - 1].seen = true;
	}
	for (uint32_t i = 0; i < track_count; i++) {
		if (tracks[i].present && !tracks[i].seen)
			frame(worker, SCAPH_FRAME_GONE, i, "");
		tracks[i].present &= tracks[i].seen;
	}
}

static void record_rest(struct scaph_worker *worker, struct scaph_feeds *feeds)
{
	uint64_t at_ns = clock_ns(CLOCK_MONOTONIC);

	if (start_ns && at_ns - bulletin_ns >= NS_PER_S) {
		bulletin_ns = at_ns;
		for (uint32_t i = 0; i < feeds->count; i++) {
			if (feeds->feed[i].place)
				put_bulletin(worker, &feeds->feed[i]);
		}
		put_gone(worker, feeds);
	}
	send_all(worker);
}

const struct scaph_view scaph_view_record = {
	.name = "record",
	.line = record_line,
	.rest = record_rest,
};
