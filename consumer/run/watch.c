/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.c - the watching process
 */
#include "consumer/run/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "consumer/command/feed.h"
#include "consumer/command/view.h"
#include "consumer/command/worker.h"

#define NS_PER_S 1000000000ULL
#define PROOF_NS 2000000000ULL /* a live segment moves within 100 ms */
#define RETRY_NS 100000000ULL
#define NEWS_NS 20000000LL /* between two looks for orders */
#define READY_RECORDS 3U /* seen before the command begins: they place the host's clock */
#define PAST_NS (3 * NS_PER_S / 2) /* for a record that ends after the command */

struct watch {
	int fd;
	struct scaph_feeds feeds;
	struct scaph_feed *feed;
	struct scaph_ledger ledger;
	struct scaph_watch_answer answer;
	uint32_t seen;
	bool ready;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec ts = { .tv_nsec = (long)ns };

	nanosleep(&ts, NULL);
}

static void say(struct watch *watch, enum scaph_watch_kind kind)
{
	watch->answer.kind = kind;
	if (send(watch->fd, &watch->answer, sizeof(watch->answer), MSG_NOSIGNAL) < 0)
		_exit(EXIT_FAILURE);
}

static int fail(struct watch *watch, const char *place, const char *reason)
{
	snprintf(watch->answer.place, sizeof(watch->answer.place), "%s", place);
	snprintf(watch->answer.reason, sizeof(watch->answer.reason), "%s", reason);
	say(watch, SCAPH_WATCH_FAILED);
	return EXIT_FAILURE;
}

/* Of a host folder the host's own segment: every domain is in it. */
static struct scaph_feed *choose(struct scaph_feeds *feeds)
{
	if (!feeds->folder)
		return &feeds->feed[0];
	for (uint32_t i = 0; i < feeds->count; i++) {
		scaph_feed_step(&feeds->feed[i]);
		if (feeds->feed[i].described && feeds->feed[i].info.is_host)
			return &feeds->feed[i];
	}
	return NULL;
}

static int open_feed(struct watch *watch, const char *path, uint64_t wait_ns)
{
	uint64_t start_ns = now_ns();
	int r;

	for (;;) {
		r = scaph_feeds_open(&watch->feeds, path);
		if (r == 0)
			break;
		if (now_ns() >= start_ns + wait_ns ||
		    (r != -ENOENT && r != -ENODATA && r != -EACCES))
			return fail(watch, watch->feeds.looked, scaph_show_open_reason(r));
		scaph_feeds_close(&watch->feeds);
		sleep_ns(RETRY_NS);
	}
	while (!(watch->feed = choose(&watch->feeds)) && now_ns() < start_ns + wait_ns + PROOF_NS)
		sleep_ns(RETRY_NS / 10);
	if (!watch->feed)
		return fail(watch, watch->feeds.looked,
			    "several domains and no host's totals; name one segment with --path");
	return 0;
}

/* Orders that have come; false: whoever gave them is gone. */
static bool obey(struct watch *watch)
{
	struct scaph_watch_order order;
	ssize_t got;

	while ((got = recv(watch->fd, &order, sizeof(order), MSG_DONTWAIT)) == sizeof(order)) {
		if (order.ended)
			scaph_ledger_end(&watch->ledger, order.at_ns);
		else
			scaph_ledger_begin(&watch->ledger, order.at_ns);
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* All that is new, each dated as soon as it is seen. */
static void take(struct watch *watch)
{
	while (scaph_feed_step(watch->feed)) {
		watch->ledger.window_ns = watch->feed->info.window_ns;
		scaph_ledger_record(&watch->ledger, &watch->feed->record, now_ns());
		watch->seen += watch->feed->record.flags & SCAPH_HAS_PACKAGE ? 1 : 0;
	}
}

static void describe(struct watch *watch)
{
	struct scaph_watch_answer *answer = &watch->answer;

	answer->info = watch->feed->info;
	answer->lost = watch->feed->reader ? scaph_lost(watch->feed->reader) : 0;
	snprintf(answer->reason, sizeof(answer->reason), "%s",
		 scaph_feed_has_figure(watch->feed) && watch->feed->record.flags & SCAPH_HAS_PACKAGE
			 ? ""
			 : scaph_feed_reason(watch->feed));
}

/* Records are waited for one by one: what is seen at once is dated well. */
static void rest(struct watch *watch)
{
	if (watch->feed->reader && watch->feed->state >= 0)
		scaph_wait(watch->feed->reader, NEWS_NS, 0);
	else
		sleep_ns((uint64_t)NEWS_NS);
}

/* So many windows, and none longer than scaphd makes them. */
static uint64_t windows_ns(const struct watch *watch, uint64_t count)
{
	uint64_t window_ns = watch->feed->described ? watch->feed->info.window_ns : 0;

	return count *
	       (window_ns < SCAPH_WATCH_WINDOW_MAX_NS ? window_ns : SCAPH_WATCH_WINDOW_MAX_NS);
}

/* Until there are records; 0, or the exit status after saying why there are none. */
static int await_ready(struct watch *watch, uint64_t until_ns)
{
	while (watch->seen < READY_RECORDS) {
		if (now_ns() >= until_ns + windows_ns(watch, READY_RECORDS + 2)) {
			const char *reason = scaph_feed_reason(watch->feed);

			return fail(watch, watch->feed->path, *reason ? reason : "no record comes");
		}
		rest(watch);
		take(watch);
	}
	describe(watch);
	say(watch, SCAPH_WATCH_READY);
	return 0;
}

static void watch_on(struct watch *watch)
{
	while (obey(watch)) {
		take(watch);
		if (watch->ledger.ended &&
		    (scaph_ledger_is_past(&watch->ledger) ||
		     now_ns() >= watch->ledger.end_ns + PAST_NS + windows_ns(watch, 2))) {
			describe(watch);
			watch->answer.account = *scaph_ledger_close(&watch->ledger);
			say(watch, SCAPH_WATCH_ACCOUNT);
			return;
		}
		rest(watch);
	}
}

static int watch_run(int fd, const char *path, uint64_t wait_ns)
{
	static struct watch watch;
	uint64_t start_ns = now_ns();
	int r;

	watch.fd = fd;
	/* A command's group may be ended while its account is still to come. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	r = open_feed(&watch, path, wait_ns);
	if (r == 0)
		r = await_ready(&watch, start_ns + wait_ns + PROOF_NS);
	if (r == 0)
		watch_on(&watch);
	return r;
}

int scaph_watcher_start(struct scaph_watcher *watcher, const char *path, uint64_t wait_ns)
{
	pid_t parent = getpid(), child;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		_exit(watch_run(scaph_worker_become(fds[1], parent), path, wait_ns));
	close(fds[1]);
	if (child < 0) {
		close(fds[0]);
		return -EAGAIN;
	}
	*watcher = (struct scaph_watcher){ .pid = child, .fd = fds[0] };
	return 0;
}

void scaph_watcher_tell(struct scaph_watcher *watcher, bool ended, uint64_t at_ns)
{
	struct scaph_watch_order order = { .ended = ended, .at_ns = at_ns };

	send(watcher->fd, &order, sizeof(order), MSG_DONTWAIT | MSG_NOSIGNAL);
}

#define END(text) ((text)[sizeof(text) - 1] = '\0')

/* It reads what strangers wrote: what it sends is not believed blindly either. */
static void end_texts(struct scaph_watch_answer *answer)
{
	END(answer->info.name);
	END(answer->info.uuid);
	END(answer->info.source);
	END(answer->info.meter);
	END(answer->info.profile);
	END(answer->info.mode);
	END(answer->place);
	END(answer->reason);
}

bool scaph_watcher_hear(struct scaph_watcher *watcher, uint64_t until_ns,
			struct scaph_watch_answer *ret_answer)
{
	struct pollfd ready = { .fd = watcher->fd, .events = POLLIN };
	uint64_t at_ns;

	while ((at_ns = now_ns()) < until_ns) {
		int r = poll(&ready, 1, (int)((until_ns - at_ns) / 1000000 + 1));

		if (r < 0 && errno != EINTR)
			return false;
		if (r <= 0)
			continue;
		if (recv(watcher->fd, ret_answer, sizeof(*ret_answer), MSG_DONTWAIT) !=
		    (ssize_t)sizeof(*ret_answer))
			return false;
		end_texts(ret_answer);
		return true;
	}
	return false;
}

void scaph_watcher_stop(struct scaph_watcher *watcher)
{
	kill(watcher->pid, SIGKILL);
	close(watcher->fd);
}
