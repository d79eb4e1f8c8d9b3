/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.c - readers of one command
 */
#include "consumer/command/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/command/play.h"
#include "consumer/span.h"
#include "proto/names.h"

static int add_feed(struct scaph_feeds *feeds, const char *path)
{
	struct scaph_options options = { .size = sizeof(options), .guard = 1 };
	struct scaph_feed *grown = reallocarray(feeds->feed, feeds->count + 1, sizeof(*grown));
	struct scaph_feed feed = { .path = strdup(path), .state = SCAPH_UNPROVEN };

	if (grown)
		feeds->feed = grown;
	if (!grown || !feed.path) {
		free(feed.path);
		return -ENOMEM;
	}
	feed.error = scaph_open(feed.path, &options, &feed.reader);
	if (feed.error < 0)
		feed.reader = NULL;
	feeds->feed[feeds->count++] = feed;
	return feed.error;
}

static void drop_feed(struct scaph_feeds *feeds, uint32_t at)
{
	scaph_close(feeds->feed[at].reader);
	scaph_track_free(feeds->feed[at].track);
	free(feeds->feed[at].path);
	feeds->count--;
	memmove(&feeds->feed[at], &feeds->feed[at + 1], (feeds->count - at) * sizeof(*feeds->feed));
}

int scaph_feeds_open(struct scaph_feeds *ret_feeds, const char *path)
{
	struct scaph_feeds feeds = { .wanted = path };
	struct scaph_places places;
	int r = scaph_find(path, SCAPH_SYSFS, &places);

	memcpy(feeds.looked, places.looked, sizeof(feeds.looked));
	feeds.folder = places.folder;
	for (uint32_t i = 0; i < places.count; i++) {
		int opened = add_feed(&feeds, places.path[i]);

		/* One that cannot be opened is the command's own failure; among several it is a row with a reason. */
		if (!feeds.folder || opened == -ENOMEM)
			r = opened;
	}
	scaph_places_clear(&places);
	*ret_feeds = feeds;
	return r;
}

void scaph_feeds_close(struct scaph_feeds *feeds)
{
	while (feeds->count)
		drop_feed(feeds, feeds->count - 1);
	free(feeds->feed);
	if (feeds->replay)
		scaph_recording_close(&feeds->replay->recording);
	free(feeds->replay);
	*feeds = (struct scaph_feeds){};
}

static bool listed(const struct scaph_places *places, const char *path)
{
	for (uint32_t i = 0; i < places->count; i++) {
		if (strcmp(places->path[i], path) == 0)
			return true;
	}
	return false;
}

static bool fed(const struct scaph_feeds *feeds, const char *path)
{
	for (uint32_t i = 0; i < feeds->count; i++) {
		if (strcmp(feeds->feed[i].path, path) == 0)
			return true;
	}
	return false;
}

void scaph_feeds_rescan(struct scaph_feeds *feeds)
{
	struct scaph_places places;

	if (!feeds->folder || feeds->replay)
		return;
	/* An empty folder is a daemon that is away: its last rows stay, and say so. */
	if (scaph_find(feeds->wanted, SCAPH_SYSFS, &places) == 0) {
		for (uint32_t i = feeds->count; i-- > 0;) {
			if (!feeds->feed[i].reader || !listed(&places, feeds->feed[i].path))
				drop_feed(feeds, i);
		}
		for (uint32_t i = 0; i < places.count; i++) {
			if (!fed(feeds, places.path[i]))
				add_feed(feeds, places.path[i]);
		}
	}
	scaph_places_clear(&places);
}

static void describe(struct scaph_feed *feed)
{
	feed->info.size = sizeof(feed->info);
	feed->described = scaph_describe(feed->reader, &feed->info) == 0;
	if (feed->described)
		scaph_name_escape(feed->info.name, feed->shown, sizeof(feed->shown));
}

bool scaph_feed_step(struct scaph_feed *feed)
{
	if (feed->track)
		return scaph_feed_play(feed);
	/* Events come one at a time; more than a ring's worth in a row is for the next turn. */
	for (int event = 0; feed->reader && event < 64; event++) {
		int r = scaph_next(feed->reader, &feed->record);

		if (r == SCAPH_OK) {
			if (!feed->described || feed->info.epoch_id != feed->record.epoch_id)
				describe(feed);
			feed->has_record = true;
			feed->state = SCAPH_OK;
			return true;
		}
		if (r == SCAPH_EMPTY)
			return false;
		if (r == SCAPH_EPOCH) {
			feed->has_line = feed->has_record = feed->described = false;
		} else if (r != SCAPH_LAPPED) {
			feed->state = r;
			describe(feed);
			return false;
		}
	}
	return false;
}

bool scaph_feed_has_figure(const struct scaph_feed *feed)
{
	return (feed->reader || feed->track) && feed->has_record && feed->state == SCAPH_OK;
}

void scaph_feed_totals(const struct scaph_feed *feed, struct scaph_span *ret)
{
	if (feed->track)
		scaph_totals_sum(&feed->track->totals, ret);
	else
		scaph_totals(feed->reader, ret);
}

uint64_t scaph_feed_lost(const struct scaph_feed *feed)
{
	return feed->track ? feed->track->lost : scaph_lost(feed->reader);
}

int scaph_feed_bulletin(struct scaph_feed *feed, struct scaph_bulletin *ret)
{
	if (!feed->track)
		return scaph_bulletin_read(feed->reader, ret);
	if (!feed->track->has_bulletin)
		return SCAPH_EMPTY;
	*ret = feed->track->bulletin;
	return SCAPH_OK;
}

const char *scaph_feed_reason(struct scaph_feed *feed)
{
	if (feed->track)
		return scaph_feed_played_reason(feed);
	if (!feed->reader)
		return strerror(-feed->error);
	return scaph_reason(feed->reader);
}

struct scaph_figure scaph_feed_line(struct scaph_feed *feed)
{
	struct scaph_figure figure = { .stale = feed->state == SCAPH_STALE };

	if (!scaph_feed_has_figure(feed)) {
		figure.reason = scaph_feed_reason(feed);
		/* After a pause the next line has nothing honest to compare with. */
		feed->has_line = false;
		return figure;
	}
	if (feed->has_line && feed->line.number == feed->record.number) {
		figure.reason = "no new record yet";
		return figure;
	}
	if (feed->has_line && scaph_between(&feed->line, &feed->record, &figure.span) != SCAPH_OK)
		figure.reason = "gap";
	else if (feed->has_line && !(figure.span.flags & SCAPH_HAS_PACKAGE))
		figure.reason = scaph_feed_reason(feed);
	else
		figure.known = feed->has_line;
	/* A window that is still open: the next line covers it too. */
	if (feed->record.flags & SCAPH_HAS_ALL) {
		feed->line = feed->record;
		feed->has_line = true;
	}
	return figure;
}
