/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.h - the segments one command reads, each with its newest record and the one of the line before
 *
 * Lives in the worker process. A view only looks at feeds; it never touches a reader.
 */
#ifndef SCAPH_COMMAND_FEED_H
#define SCAPH_COMMAND_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "consumer/command/playtime.h"
#include "consumer/find.h"
#include "consumer/recording/track.h"
#include "consumer/scaph.h"

struct scaph_feed {
	char *path;
	struct scaph_reader *reader; /* NULL: not open (yet) */
	struct scaph_track *track; /* of a recording, in a reader's place */
	int error; /* why not: negative errno */
	bool described;
	struct scaph_info info;
	char shown[1024]; /* the name, safe to print */
	int state; /* last result but SCAPH_OK */
	bool has_record;
	struct scaph_record record; /* newest verified */
	bool has_line;
	struct scaph_record line; /* the record of the line before */
	uint32_t place; /* whoever keeps something of each feed: where */
};

struct scaph_feeds {
	struct scaph_feed *feed;
	uint32_t count;
	bool folder; /* of a host: segments come and go */
	const char *wanted; /* as the user gave it; NULL: the usual places */
	char looked[512]; /* for messages */
	struct scaph_playtime clock;
	struct scaph_replay *replay; /* NULL: not played */
};

/* A recording that is being played. */
struct scaph_replay {
	struct scaph_recording recording;
	struct scaph_frame frame; /* read, and not yet due */
	bool has_frame;
	int result; /* how reading it ended; 0: it has not */
};

/* What a feed can say of power since its line before. */
struct scaph_figure {
	bool known; /* span is set */
	bool stale;
	const char *reason; /* why not known, or NULL where the first line has none to compare with */
	struct scaph_span span;
};

/* Open all places; 0 or a negative errno (-ENOENT: nothing there yet). */
int scaph_feeds_open(struct scaph_feeds *ret_feeds, const char *path);
void scaph_feeds_close(struct scaph_feeds *feeds);

/* Play a recording in their place: scaph_playtime_play() has the speed. 0, or as scaph_recording_open(). */
int scaph_feeds_play(struct scaph_feeds *ret_feeds, const char *path, double speed);

/* Of a recording: what is due by now. Before feeds are stepped through; it may move them. */
void scaph_feeds_pump(struct scaph_feeds *feeds);

/* Whether a recording is at its end and all of it has been taken. */
bool scaph_feeds_ended(const struct scaph_feeds *feeds);

/* In a folder: take in segments that have come, let go of those that are gone, try again those that would not open. */
void scaph_feeds_rescan(struct scaph_feeds *feeds);

/**
 * scaph_feed_step() - take the next record of a feed
 *
 * Return:   true: feed->record is a new one; false: nothing more now, feed->state says why.
 */
bool scaph_feed_step(struct scaph_feed *feed);

/* Whether the feed has a record and is live. */
bool scaph_feed_has_figure(const struct scaph_feed *feed);

/* Figure since the line before; the present record becomes that line. */
struct scaph_figure scaph_feed_line(struct scaph_feed *feed);

/* As scaph_totals(), scaph_lost() and scaph_bulletin_read() of its reader. */
void scaph_feed_totals(const struct scaph_feed *feed, struct scaph_span *ret);
uint64_t scaph_feed_lost(const struct scaph_feed *feed);
int scaph_feed_bulletin(struct scaph_feed *feed, struct scaph_bulletin *ret);

/* One clause; never NULL. */
const char *scaph_feed_reason(struct scaph_feed *feed);

#endif
