/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.c - readers of one command
 */
#include "consumer/command/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/names.h"

static void open_feed(struct scaph_feed *feed)
{
	struct scaph_options options = { .size = sizeof(options), .guard = 1 };

	feed->error = scaph_open(feed->path, &options, &feed->reader);
	if (feed->error < 0)
		feed->reader = NULL;
}

int scaph_feeds_open(struct scaph_feeds *ret_feeds, const char *path)
{
	struct scaph_feeds feeds = {};
	int r = scaph_find(path, SCAPH_SYSFS, &feeds.places);

	*ret_feeds = feeds;
	if (r < 0)
		return r;
	feeds.feed = calloc(feeds.places.count, sizeof(*feeds.feed));
	if (!feeds.feed) {
		scaph_places_clear(&feeds.places);
		return -ENOMEM;
	}
	feeds.count = feeds.places.count;
	feeds.folder = feeds.places.folder;
	for (uint32_t i = 0; i < feeds.count; i++) {
		feeds.feed[i].path = feeds.places.path[i];
		feeds.feed[i].state = SCAPH_UNPROVEN;
		open_feed(&feeds.feed[i]);
	}
	*ret_feeds = feeds;
	/* One segment that cannot be opened is the command's own failure; among several it is a row with a reason. */
	return feeds.count == 1 ? feeds.feed[0].error : 0;
}

void scaph_feeds_close(struct scaph_feeds *feeds)
{
	for (uint32_t i = 0; i < feeds->count; i++)
		scaph_close(feeds->feed[i].reader);
	free(feeds->feed);
	scaph_places_clear(&feeds->places);
	*feeds = (struct scaph_feeds){};
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
	return feed->reader && feed->has_record && feed->state == SCAPH_OK;
}

const char *scaph_feed_reason(struct scaph_feed *feed)
{
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
		figure.reason = "the energy source has ended";
	else
		figure.known = feed->has_line;
	feed->line = feed->record;
	feed->has_line = true;
	return figure;
}
