/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play.c - a recording in the place of segments
 *
 * Frames that are due by the feeds' clock go to the queues of their tracks; from there a feed takes them as it would from a reader.
 */
#include "consumer/command/play.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/names.h"

int scaph_feeds_play(struct scaph_feeds *ret_feeds, const char *path, double speed)
{
	struct scaph_feeds feeds = { .wanted = path };
	int r;

	feeds.replay = calloc(1, sizeof(*feeds.replay));
	if (!feeds.replay)
		return -ENOMEM;
	r = scaph_recording_open(path, &feeds.replay->recording);
	if (r) {
		free(feeds.replay);
		return r;
	}
	snprintf(feeds.looked, sizeof(feeds.looked), "%s", path);
	feeds.folder = feeds.replay->recording.folder;
	feeds.clock = scaph_playtime_play(speed, feeds.replay->recording.wall_ns);
	*ret_feeds = feeds;
	return 0;
}

static struct scaph_feed *find_feed(struct scaph_feeds *feeds, uint32_t number)
{
	for (uint32_t i = 0; i < feeds->count; i++) {
		if (feeds->feed[i].track->number == number)
			return &feeds->feed[i];
	}
	return NULL;
}

static struct scaph_feed *add_feed(struct scaph_feeds *feeds, uint32_t number)
{
	struct scaph_feed *grown = reallocarray(feeds->feed, feeds->count + 1, sizeof(*grown));
	struct scaph_feed feed = { .state = SCAPH_UNPROVEN, .track = scaph_track_new(number) };

	if (grown)
		feeds->feed = grown;
	if (!grown || !feed.track || asprintf(&feed.path, "%s", feeds->wanted) < 0) {
		scaph_track_free(feed.track);
		return NULL;
	}
	feeds->feed[feeds->count] = feed;
	return &feeds->feed[feeds->count++];
}

/* To its track; a frame of one that nothing is known of yet is passed over. */
static int dispatch(struct scaph_feeds *feeds, const struct scaph_frame *frame)
{
	struct scaph_feed *feed = find_feed(feeds, frame->head.track);

	if (!feed && frame->head.type != SCAPH_FRAME_INFO)
		return 0;
	if (!feed)
		feed = add_feed(feeds, frame->head.track);
	if (!feed)
		return -ENOMEM;
	if (frame->head.type == SCAPH_FRAME_GONE) {
		feed->track->gone = true;
		return 0;
	}
	feed->track->gone = false;
	return scaph_track_push(feed->track, frame);
}

/* Segments that are no longer there and of which nothing waits any more. */
static void drop_gone(struct scaph_feeds *feeds)
{
	for (uint32_t i = feeds->count; i-- > 0;) {
		struct scaph_feed *feed = &feeds->feed[i];

		if (!feed->track->gone || scaph_track_waits(feed->track))
			continue;
		scaph_track_free(feed->track);
		free(feed->path);
		feeds->count--;
		memmove(feed, feed + 1, (feeds->count - i) * sizeof(*feed));
	}
}

/* Whoever looks on finds the last state of all: nothing comes any more. */
static void end_all(struct scaph_feeds *feeds)
{
	for (uint32_t i = 0; i < feeds->count; i++) {
		struct scaph_feed *feed = &feeds->feed[i];

		feed->state = SCAPH_STALE;
		snprintf(feed->track->reason, sizeof(feed->track->reason),
			 "the recording has ended");
	}
}

void scaph_feeds_pump(struct scaph_feeds *feeds)
{
	struct scaph_replay *replay = feeds->replay;
	uint64_t at_ns;

	if (!replay)
		return;
	if (scaph_feeds_ended(feeds))
		end_all(feeds);
	drop_gone(feeds);
	at_ns = scaph_playtime_now_ns(&feeds->clock);
	while (!replay->result) {
		if (!replay->has_frame) {
			replay->result = scaph_recording_next(&replay->recording, &replay->frame);
			replay->has_frame = replay->result == 0;
			continue;
		}
		if (replay->frame.head.at_ns > at_ns)
			return;
		replay->has_frame = false;
		replay->result = dispatch(feeds, &replay->frame);
	}
}

bool scaph_feeds_ended(const struct scaph_feeds *feeds)
{
	if (!feeds->replay || !feeds->replay->result)
		return false;
	for (uint32_t i = 0; i < feeds->count; i++) {
		if (scaph_track_waits(feeds->feed[i].track))
			return false;
	}
	return true;
}

static void take_record(struct scaph_feed *feed, const struct scaph_frame *frame)
{
	uint64_t epoch_id = feed->record.epoch_id;

	feed->record = scaph_frame_to_record(frame);
	/* As the reader's event would have it. */
	if (feed->has_record && epoch_id != feed->record.epoch_id)
		feed->has_line = false;
	feed->has_record = true;
	feed->state = SCAPH_OK;
	feed->track->lost = frame->record.lost;
	scaph_totals_extend(&feed->track->totals, &feed->record, 1);
}

bool scaph_feed_play(struct scaph_feed *feed)
{
	struct scaph_frame frame;

	while (scaph_track_pop(feed->track, &frame)) {
		switch (frame.head.type) {
		case SCAPH_FRAME_INFO:
			feed->info = scaph_frame_to_info(&frame);
			feed->described = true;
			scaph_name_escape(feed->info.name, feed->shown, sizeof(feed->shown));
			break;
		case SCAPH_FRAME_RECORD:
			take_record(feed, &frame);
			return true;
		case SCAPH_FRAME_STATE:
			feed->state = frame.state.state == SCAPH_OK ? SCAPH_UNPROVEN
								    : frame.state.state;
			snprintf(feed->track->reason, sizeof(feed->track->reason), "%s",
				 frame.state.reason);
			return false;
		case SCAPH_FRAME_BULLETIN:
			feed->track->bulletin = scaph_frame_to_bulletin(&frame);
			feed->track->has_bulletin = true;
			break;
		default:
			break;
		}
	}
	return false;
}

const char *scaph_feed_played_reason(const struct scaph_feed *feed)
{
	if (feed->state != SCAPH_OK)
		return feed->track->reason[0] ? feed->track->reason : "no record yet";
	return feed->record.flags & SCAPH_HAS_PACKAGE
		       ? ""
		       : "the energy source had ended or could not be read";
}
