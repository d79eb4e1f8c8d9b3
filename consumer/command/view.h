/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h - a way of showing feeds: a small table of functions, one file a view
 */
#ifndef SCAPH_COMMAND_VIEW_H
#define SCAPH_COMMAND_VIEW_H

#include "consumer/command/feed.h"
#include "consumer/command/worker.h"

struct scaph_view {
	const char *name;
	/* One line for one feed: its present record against its line before. */
	void (*line)(struct scaph_worker *worker, struct scaph_feeds *feeds,
		     struct scaph_feed *feed);
	/* All feeds of a folder at one time; NULL: line() for each. */
	void (*table)(struct scaph_worker *worker, struct scaph_feeds *feeds);
	/* Before the loop sleeps, and at its end; NULL: nothing to do then. */
	void (*rest)(struct scaph_worker *worker, struct scaph_feeds *feeds);
	/* Whether the first line should wait for a second record, having no meaning without power. */
	bool needs_power;
};

extern const struct scaph_view scaph_view_text;
extern const struct scaph_view scaph_view_json;
extern const struct scaph_view scaph_view_record;

/* The loop of a command in its worker process: open, wait, show. Returns the exit status where no figure was shown. */
int scaph_show(struct scaph_worker *worker, const struct scaph_view_options *options,
	       const struct scaph_view *view);

/* Why a place cannot be opened, by a negative errno: one clause that says what mends it. */
const char *scaph_show_open_reason(int error);

#endif
