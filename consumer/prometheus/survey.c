/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey.c - the surveying process
 */
#include "consumer/prometheus/survey.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "consumer/command/feed.h"

#define NS_PER_S 1000000000ULL
#define BATCH_MS 100
#define FIND_NS NS_PER_S
#define REPORT_NS NS_PER_S
/* A domain that comes back within this time goes on from its sums. */
#define REMEMBER_NS (3600 * NS_PER_S)

/* One subject; lives at its place in the survey for as long as it is remembered. */
struct subject {
	struct scaph_exhibit exhibit;
	struct scaph_trail trail;
	uint64_t reader_lost; /* what the present reader had lost when last asked */
	const struct scaph_reader *reader;
	uint64_t round; /* of the last look at its feed */
};

struct surveying {
	int fd;
	struct scaph_feeds feeds;
	bool open;
	int error; /* why not */
	struct subject **subject;
	uint32_t count;
	uint64_t round;
	bool reporting; /* at the end of this round */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static struct subject *add_subject(struct surveying *all)
{
	struct subject **grown;
	struct subject *subject;

	if (all->count == SCAPH_SURVEY_EXHIBITS_MAX)
		return NULL;
	grown = reallocarray(all->subject, all->count + 1, sizeof(struct subject *));
	if (!grown)
		return NULL;
	all->subject = grown;
	subject = calloc(1, sizeof(*subject));
	if (subject)
		all->subject[all->count++] = subject;
	return subject;
}

static void forget(struct surveying *all, uint64_t at_ns)
{
	for (uint32_t i = all->count; i-- > 0;) {
		const struct scaph_exhibit *exhibit = &all->subject[i]->exhibit;

		if (exhibit->present || at_ns - exhibit->gone_ns < REMEMBER_NS)
			continue;
		free(all->subject[i]);
		all->subject[i] = all->subject[--all->count];
	}
}

static bool is_of(const struct subject *subject, const struct scaph_info *info)
{
	return strcmp(subject->exhibit.info.uuid, info->uuid) == 0 &&
	       subject->exhibit.info.is_host == info->is_host;
}

/* Whose feed this is: its identity is the UUID. NULL: not known yet, or there are too many. */
static struct subject *subject_of(struct surveying *all, struct scaph_feed *feed)
{
	struct subject *subject;

	if (!feed->info.uuid[0])
		return NULL;
	if (feed->place < all->count && is_of(all->subject[feed->place], &feed->info))
		return all->subject[feed->place];
	for (uint32_t i = 0; i < all->count; i++) {
		if (is_of(all->subject[i], &feed->info)) {
			feed->place = i;
			return all->subject[i];
		}
	}
	subject = add_subject(all);
	feed->place = all->count - 1;
	return subject;
}

static enum scaph_exhibit_state state_of(const struct scaph_feed *feed,
					 const struct scaph_exhibit *exhibit)
{
	bool retired = exhibit->has_bulletin && exhibit->bulletin.state == SCAPH_BULLETIN_RETIRED &&
		       exhibit->bulletin.epoch_id == feed->info.epoch_id;

	switch (feed->state) {
	case SCAPH_OK:
		return exhibit->last.flags & SCAPH_HAS_PACKAGE ? SCAPH_EXHIBIT_LIVE
							       : SCAPH_EXHIBIT_NO_ENERGY;
	case SCAPH_STALE:
		return retired ? SCAPH_EXHIBIT_RETIRED : SCAPH_EXHIBIT_STALE;
	case SCAPH_UNPROVEN:
		return retired ? SCAPH_EXHIBIT_RETIRED : SCAPH_EXHIBIT_UNPROVEN;
	case SCAPH_WITHHELD:
		return SCAPH_EXHIBIT_WITHHELD;
	default:
		return SCAPH_EXHIBIT_UNREADABLE;
	}
}

static void take_state(const struct surveying *all, struct subject *subject,
		       struct scaph_feed *feed)
{
	struct scaph_bulletin bulletin = { .size = sizeof(bulletin) };
	struct scaph_exhibit *exhibit = &subject->exhibit;
	uint64_t lost = scaph_feed_lost(feed);

	if (subject->reader != feed->reader || lost < subject->reader_lost) {
		subject->reader = feed->reader;
		subject->reader_lost = 0;
	}
	exhibit->lost += lost - subject->reader_lost;
	subject->reader_lost = lost;
	if (all->reporting && scaph_feed_bulletin(feed, &bulletin) == SCAPH_OK)
		scaph_exhibit_bulletin(exhibit, &bulletin);
	exhibit->state = state_of(feed, exhibit);
	snprintf(exhibit->reason, sizeof(exhibit->reason), "%s", scaph_feed_reason(feed));
	if (exhibit->state != SCAPH_EXHIBIT_LIVE)
		subject->trail.count = 0;
}

/* All that is new in one feed. Two segments of one subject would be one series twice: the first counts. */
static void take_feed(struct surveying *all, struct scaph_feed *feed)
{
	struct subject *subject = NULL;
	bool mine = false;

	while (scaph_feed_step(feed)) {
		if (!mine) {
			subject = subject_of(all, feed);
			mine = subject && subject->round != all->round;
		}
		if (!mine)
			continue;
		subject->round = all->round;
		subject->exhibit.info = feed->info;
		scaph_exhibit_record(&subject->exhibit, &subject->trail, &feed->record);
	}
	if (!mine) {
		subject = subject_of(all, feed);
		mine = subject && subject->round != all->round;
	}
	if (!mine)
		return;
	subject->round = all->round;
	subject->exhibit.info = feed->info;
	subject->exhibit.present = true;
	take_state(all, subject, feed);
}

static void take_all(struct surveying *all)
{
	uint64_t at_ns = now_ns();

	all->round++;
	scaph_feeds_pump(&all->feeds);
	for (uint32_t i = 0; i < all->feeds.count; i++)
		take_feed(all, &all->feeds.feed[i]);
	for (uint32_t i = 0; i < all->count; i++) {
		struct subject *subject = all->subject[i];

		if (subject->round == all->round || !subject->exhibit.present)
			continue;
		subject->exhibit.present = false;
		subject->exhibit.gone_ns = at_ns;
		subject->trail.count = 0;
	}
}

/* What comes and goes: opened, looked for again. */
static void find_segments(struct surveying *all, const struct scaph_survey_place *place)
{
	if (all->open) {
		scaph_feeds_rescan(&all->feeds);
		return;
	}
	all->error = place->replay
			     ? scaph_feeds_play(&all->feeds, place->replay, place->replay_speed)
			     : scaph_feeds_open(&all->feeds, place->path);
	all->open = all->error == 0;
	if (!all->open) {
		char looked[sizeof(all->feeds.looked)];

		memcpy(looked, all->feeds.looked, sizeof(looked));
		scaph_feeds_close(&all->feeds);
		memcpy(all->feeds.looked, looked, sizeof(looked));
	}
}

static const char *open_reason(int error)
{
	switch (-error) {
	case ENOENT:
		return "no segment there; mount the share, or start scaphd on the host";
	case EACCES:
		return "permission denied; run as root, or join the group that may read it";
	default:
		return strerror(-error);
	}
}

static struct scaph_survey_head head_of(struct surveying *all,
					const struct scaph_survey_place *place)
{
	struct scaph_survey_head head = { .exhibits = all->count, .segments = all->feeds.count };

	if (!all->open && place->replay)
		snprintf(head.reason, sizeof(head.reason), "%.300s: %s", place->replay,
			 scaph_recording_reason(all->error));
	else if (!all->open)
		snprintf(head.reason, sizeof(head.reason), "%.300s: %s", all->feeds.looked,
			 open_reason(all->error));
	for (uint32_t i = 0; i < all->feeds.count; i++) {
		struct scaph_feed *feed = &all->feeds.feed[i];

		if (feed->described)
			continue;
		if (!head.unreadable++)
			snprintf(head.reason, sizeof(head.reason), "%.300s: %s", feed->path,
				 scaph_feed_reason(feed));
	}
	return head;
}

static bool write_all(int fd, const void *bytes, size_t count)
{
	const char *at = bytes;

	while (count) {
		ssize_t n = write(fd, at, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		at += n;
		count -= (size_t)n;
	}
	return true;
}

static bool report(struct surveying *all, const struct scaph_survey_place *place)
{
	struct scaph_survey_head head = head_of(all, place);
	bool sent = write_all(all->fd, &head, sizeof(head));

	for (uint32_t i = 0; sent && i < all->count; i++)
		sent = write_all(all->fd, &all->subject[i]->exhibit, sizeof(struct scaph_exhibit));
	return sent;
}

/* Wait for a question or the next batch; false: nobody is there to ask any more. */
static bool await_question(int fd, bool *ret_asked)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char bytes[64];

	*ret_asked = false;
	if (poll(&ready, 1, BATCH_MS) <= 0 || !ready.revents)
		return true;
	*ret_asked = true;
	return read(fd, bytes, sizeof(bytes)) > 0;
}

void scaph_survey_run(int fd, const struct scaph_survey_place *place,
		      const struct scaph_survey *from)
{
	struct surveying all = { .fd = fd };
	uint64_t find_due_ns = 0, report_due_ns = 0;
	bool asked = false;

	for (uint32_t i = 0; i < from->head.exhibits; i++) {
		struct subject *subject = add_subject(&all);

		if (subject)
			subject->exhibit = from->exhibit[i];
	}
	do {
		uint64_t at_ns = now_ns();

		if (at_ns >= find_due_ns) {
			find_segments(&all, place);
			forget(&all, at_ns);
			find_due_ns = at_ns + FIND_NS;
		}
		all.reporting = asked || at_ns >= report_due_ns;
		take_all(&all);
		if (all.reporting) {
			if (!report(&all, place))
				return;
			report_due_ns = at_ns + REPORT_NS;
		}
	} while (await_question(fd, &asked));
}
