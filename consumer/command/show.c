/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.c - the loop behind text and json: open, wait for a figure, then a line at each step
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "consumer/command/view.h"

#define NS_PER_S 1000000000ULL
#define PROOF_NS                                                                                   \
	1500000000ULL /* a live segment moves within 100 ms; this is what a loaded machine gets */
#define BATCH_NS 50000000ULL
#define RETRY_NS 100000000ULL
#define ALIVE_NS 1000000000ULL
#define DRAIN_NS 1000000000ULL /* well within the 4 s that a ring holds */

struct show {
	struct scaph_worker *worker;
	const struct scaph_view_options *options;
	const struct scaph_view *view;
	struct scaph_feeds feeds;
	uint64_t lines;
	bool figure;
};

static uint64_t now_ns(const struct show *show)
{
	return scaph_playtime_now_ns(&show->feeds.clock);
}

static void sleep_ns(struct show *show, uint64_t ns)
{
	scaph_playtime_sleep_ns(&show->feeds.clock, ns);
}

static void complain(struct show *show, const char *place, const char *reason)
{
	char line[2048];

	snprintf(line, sizeof(line), "%s: %s", place, reason);
	scaph_worker_complain(show->worker, line);
}

const char *scaph_show_open_reason(int error)
{
	switch (-error) {
	case ENOENT:
		return "no segment there; mount the share, or start scaphd on the host (--wait SEC "
		       "waits for it)";
	case EACCES:
		return "permission denied; run as root, or join the group that may read the "
		       "segment";
	case EPERM:
		return "mapping it is forbidden (kernel lockdown?); use a virtiofs or 9p share";
	case ENODEV:
		return "no ivshmem device";
	case ENOTSUP:
		return "not a file a segment can be; give a segment, a share folder or an ivshmem "
		       "device";
	default:
		return strerror(-error);
	}
}

/* Open, again and again while --wait allows it. */
static bool open_feeds(struct show *show, uint64_t until_ns)
{
	for (;;) {
		int r = scaph_feeds_open(&show->feeds, show->options->path);

		if (r == 0)
			return true;
		if (now_ns(show) >= until_ns || (r != -ENOENT && r != -ENODATA && r != -EACCES)) {
			complain(show, show->feeds.looked, scaph_show_open_reason(r));
			return false;
		}
		scaph_feeds_close(&show->feeds);
		scaph_worker_alive(show->worker);
		sleep_ns(show, RETRY_NS);
	}
}

/* Said before the line is: whoever sees the line may end us at once, and has had his figure. */
static void note_figure(struct show *show)
{
	for (uint32_t i = 0; i < show->feeds.count && !show->figure; i++) {
		if (scaph_feed_has_figure(&show->feeds.feed[i])) {
			show->figure = true;
			scaph_worker_figure(show->worker);
		}
	}
}

static bool enough(const struct show *show)
{
	return show->options->lines && show->lines >= show->options->lines;
}

/* Everything new; with -s 0 a line for each record. */
static void drain(struct show *show)
{
	scaph_feeds_pump(&show->feeds);
	for (uint32_t i = 0; i < show->feeds.count; i++) {
		struct scaph_feed *feed = &show->feeds.feed[i];

		while (!enough(show) && scaph_feed_step(feed)) {
			if (show->options->step_ns == 0) {
				note_figure(show);
				show->view->line(show->worker, &show->feeds, feed);
				show->lines++;
			}
		}
	}
}

/* Whether there is what the first line needs: a record everywhere, or for power a second one, half of the feeds' patience. */
static bool ready(struct show *show)
{
	uint32_t good = 0;

	for (uint32_t i = 0; i < show->feeds.count; i++) {
		struct scaph_feed *feed = &show->feeds.feed[i];

		if (!scaph_feed_has_figure(feed))
			continue;
		if (show->view->needs_power && !feed->has_line) {
			feed->line = feed->record;
			feed->has_line = true;
			continue;
		}
		if (!show->view->needs_power ||
		    feed->record.mono_ns - feed->line.mono_ns >= 5 * feed->info.window_ns)
			good++;
	}
	return good && good == show->feeds.count;
}

static bool any_figure(const struct show *show)
{
	for (uint32_t i = 0; i < show->feeds.count; i++) {
		if (scaph_feed_has_figure(&show->feeds.feed[i]))
			return true;
	}
	return false;
}

/* Wait for the first figure; false after saying why there is none. */
static bool first_figure(struct show *show, uint64_t until_ns)
{
	for (;;) {
		scaph_feeds_rescan(&show->feeds);
		drain(show);
		if (show->figure || ready(show))
			return true;
		if (now_ns(show) >= until_ns || scaph_feeds_ended(&show->feeds))
			break;
		scaph_worker_alive(show->worker);
		sleep_ns(show, BATCH_NS / 5);
	}
	/* A recording may be of a time before there were any. */
	if (any_figure(show) || show->feeds.replay)
		return true;
	for (uint32_t i = 0; i < show->feeds.count; i++)
		complain(show, show->feeds.feed[i].path, scaph_feed_reason(&show->feeds.feed[i]));
	return false;
}

static void show_step(struct show *show)
{
	note_figure(show);
	if (show->view->table && show->feeds.folder) {
		show->view->table(show->worker, &show->feeds);
	} else {
		for (uint32_t i = 0; i < show->feeds.count; i++)
			show->view->line(show->worker, &show->feeds, &show->feeds.feed[i]);
	}
	show->lines++;
}

/* With -s 0 a stream that stopped is said once a second, not left silent. */
static void say_stopped(struct show *show)
{
	for (uint32_t i = 0; i < show->feeds.count; i++) {
		struct scaph_feed *feed = &show->feeds.feed[i];

		if (!scaph_feed_has_figure(feed)) {
			show->view->line(show->worker, &show->feeds, feed);
			show->lines++;
		}
	}
}

static void rest(struct show *show)
{
	if (show->view->rest)
		show->view->rest(show->worker, &show->feeds);
}

static void steps(struct show *show)
{
	uint64_t step_ns = show->options->step_ns ? show->options->step_ns : ALIVE_NS;
	uint64_t due_ns = now_ns(show), alive_ns = due_ns;

	if (!show->options->step_ns)
		due_ns += step_ns;
	while (!enough(show) && !scaph_feeds_ended(&show->feeds)) {
		uint64_t at_ns = now_ns(show), away_ns;

		if (at_ns >= due_ns) {
			drain(show);
			if (show->options->step_ns)
				show_step(show);
			else
				say_stopped(show);
			due_ns += step_ns;
			if (due_ns <= at_ns)
				due_ns = at_ns + step_ns;
			continue;
		}
		if (!show->options->step_ns)
			drain(show);
		if (at_ns >= alive_ns) {
			scaph_feeds_rescan(&show->feeds);
			drain(show);
			scaph_worker_alive(show->worker);
			alive_ns = at_ns + ALIVE_NS;
		}
		rest(show);
		away_ns = due_ns - at_ns;
		if (!show->options->step_ns && away_ns > BATCH_NS)
			away_ns = BATCH_NS;
		sleep_ns(show, away_ns < DRAIN_NS ? away_ns : DRAIN_NS);
	}
}

/* A recording's feeds come with its frames; there is nothing to wait for. */
static bool play(struct show *show)
{
	const struct scaph_view_options *options = show->options;
	int r = scaph_feeds_play(&show->feeds, options->replay, options->replay_speed);

	if (r == 0)
		return true;
	complain(show, options->replay,
		 r == SCAPH_RECORDING_SPOILED ? "spoiled: its head is not as it was written"
					      : scaph_recording_reason(r));
	return false;
}

/* How a recording ended, unless as it should. */
static void judge_end(struct show *show)
{
	const struct scaph_replay *replay = show->feeds.replay;
	char place[600];

	if (!scaph_feeds_ended(&show->feeds))
		return;
	if (replay->result == SCAPH_RECORDING_END) {
		if (!show->figure)
			complain(show, show->options->replay,
				 "there is no figure in it, or it is too short for one");
		return;
	}
	snprintf(place, sizeof(place), "%s: byte %" PRIu64, show->options->replay,
		 replay->recording.offset);
	complain(show, place, scaph_recording_reason(replay->result));
	if (replay->result != SCAPH_RECORDING_CUT)
		scaph_worker_fail(show->worker);
}

int scaph_show(struct scaph_worker *worker, const struct scaph_view_options *options,
	       const struct scaph_view *view)
{
	struct show show = { .worker = worker, .options = options, .view = view };
	uint64_t start_ns = now_ns(&show);
	uint64_t patience_ns = options->wait_ns > PROOF_NS ? options->wait_ns : PROOF_NS;
	bool open;

	open = options->replay ? play(&show) : open_feeds(&show, start_ns + options->wait_ns);
	if (!open)
		return EXIT_FAILURE;
	/* A recording has its own time. */
	if (first_figure(&show, options->replay ? PROOF_NS : start_ns + patience_ns))
		steps(&show);
	rest(&show);
	judge_end(&show);
	scaph_feeds_close(&show.feeds);
	return EXIT_SUCCESS;
}
