/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - scaphd: measure, divide, publish
 *
 * The main thread opens everything, starts the threads, gives its capabilities away and then only
 * waits: for signals, for processes of domains to end, for notes from the publisher.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "producer/config.h"
#include "producer/daemon.h"
#include "producer/log.h"
#include "producer/privilege.h"
#include "producer/thread.h"
#include "shm/guard.h"

static int block_signals(void)
{
	sigset_t ends;
	int fd;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/*
 * Segments that were cut under the publisher; each is said once. @failed and @said: bits by enum
 * scaph_outlet_kind.
 */
static void report_failed(const char *whose, uint8_t failed, uint8_t *said)
{
	static const struct {
		const char *what, *mend;
	} words[SCAPH_OUTLETS_MAX] = {
		[SCAPH_OUTLET_SHARE] = { "segment", "a fresh share" },
		[SCAPH_OUTLET_IVSHMEM] = { "ivshmem file", "a fresh ivshmem file" },
		[SCAPH_OUTLET_HOST] = { "copy in the host folder", "nothing but this" },
	};

	for (unsigned int kind = 0; kind < SCAPH_OUTLETS_MAX; kind++) {
		if (failed & ~*said & 1U << kind)
			scaph_warning("the %s of %s was cut under us and is no longer written; "
				      "give it %s and restart scaphd",
				      words[kind].what, whose, words[kind].mend);
	}
	*said |= failed;
}

/* One line when it begins, one when it is over. */
static void report_change(bool *was, bool is, const char *begun, const char *over)
{
	if (is && !*was)
		scaph_warning("%s", begun);
	else if (!is && *was)
		scaph_info("%s", over);
	*was = is;
}

/* @failed: room for a byte a domain and one more; @said: the same, kept between calls. */
static void report_notes(struct scaph_daemon *daemon, uint8_t *failed, uint8_t *said)
{
	static bool source_reported, meter_reported;
	struct scaph_publisher *pub = &daemon->publisher;
	bool source_lost, meter_lost;
	uint64_t wakes;

	if (read(pub->wake_fd, &wakes, sizeof(wakes)) < 0 && errno != EAGAIN)
		scaph_warning("wake-up: %s", strerror(errno));
	pthread_mutex_lock(&pub->lock);
	source_lost = pub->source_lost;
	meter_lost = pub->meter_lost;
	memcpy(failed, pub->failed, daemon->count + 1);
	pthread_mutex_unlock(&pub->lock);
	for (uint32_t i = 0; i < daemon->count; i++)
		report_failed(daemon->domains[i].shown, failed[i], &said[i]);
	report_failed("the host's totals", failed[daemon->count], &said[daemon->count]);
	report_change(&source_reported, source_lost,
		      "the energy source has ended: records go on without energy",
		      "the energy source is back");
	report_change(&meter_reported, meter_lost,
		      "CPU times cannot be read: no records until they can",
		      "CPU times can be read again");
}

static void report_gone(struct scaph_daemon *daemon, uint32_t at, struct pollfd *poll)
{
	scaph_info("domain %s: its process %d has ended; its segment is retired",
		   daemon->domains[at].shown, (int)daemon->domains[at].pid);
	scaph_publisher_domain_gone(&daemon->publisher, at);
	poll->fd = -1;
}

/* Until a signal asks for the end. */
static int watch(struct scaph_daemon *daemon, struct pollfd *polls, uint8_t *failed, uint8_t *said)
{
	struct pollfd *ends = &polls[daemon->count], *notes = &polls[daemon->count + 1];

	while (!(ends->revents & POLLIN)) {
		if (poll(polls, daemon->count + 2, -1) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		for (uint32_t i = 0; i < daemon->count; i++) {
			if (polls[i].fd >= 0 && polls[i].revents)
				report_gone(daemon, i, &polls[i]);
		}
		if (notes->revents)
			report_notes(daemon, failed, said);
	}
	return 0;
}

static int wait_for_end(struct scaph_daemon *daemon, int signal_fd)
{
	struct pollfd *polls = calloc(daemon->count + 2, sizeof(*polls));
	uint8_t *failed = calloc(daemon->count + 1, 2);
	int r = -ENOMEM;

	if (polls && failed) {
		for (uint32_t i = 0; i < daemon->count; i++)
			polls[i] =
				(struct pollfd){ .fd = daemon->domains[i].pidfd, .events = POLLIN };
		polls[daemon->count] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
		polls[daemon->count + 1] =
			(struct pollfd){ .fd = daemon->publisher.wake_fd, .events = POLLIN };
		r = watch(daemon, polls, failed, failed + daemon->count + 1);
	}
	free(failed);
	free(polls);
	return r;
}

/*
 * All is open: nothing from here on needs a privilege but the threads' priority, which they
 * inherit.
 */
static int start(struct scaph_daemon *daemon)
{
	bool realtime = scaph_thread_enter_realtime();
	int r = scaph_privilege_drop();

	if (r) {
		scaph_error("capabilities cannot be dropped: %s; start scaphd as root or as an "
			    "ordinary user",
			    strerror(-r));
		return r;
	}
	r = scaph_publisher_start(&daemon->publisher);
	if (r == 0)
		r = scaph_sampler_start(&daemon->sampler);
	scaph_thread_leave_realtime();
	if (r) {
		scaph_error("cannot start publishing: %s", strerror(-r));
		return r;
	}
	scaph_info("publishing %u domain(s) every %u ms, source %s%s, meter %s%s", daemon->count,
		   (unsigned int)(daemon->terms.window_ns / 1000000), daemon->source->ops->name,
		   daemon->source->estimated ? " (estimated)" : "", daemon->meter->ops->name,
		   realtime ? "" : "; no real-time priority: windows may close late under load");
	return 0;
}

static int serve(struct scaph_daemon *daemon, int signal_fd)
{
	int r = scaph_daemon_open_segments(daemon);

	if (r)
		return r;
	r = start(daemon);
	if (r == 0)
		r = wait_for_end(daemon, signal_fd);
	scaph_sampler_stop(&daemon->sampler);
	scaph_publisher_stop(&daemon->publisher);
	return r;
}

static int run(const struct scaph_config *config)
{
	struct scaph_daemon daemon;
	int signal_fd = block_signals();
	int r = signal_fd < 0 ? signal_fd : scaph_guard_install();

	if (r) {
		scaph_error("signals cannot be handled: %s", strerror(-r));
		return r;
	}
	r = scaph_daemon_open(config, &daemon);
	if (r == 0)
		r = config->check ? scaph_daemon_describe(&daemon) : serve(&daemon, signal_fd);
	scaph_daemon_close(&daemon);
	close(signal_fd);
	return r;
}

int main(int argc, char **argv)
{
	struct scaph_config config;
	int r = scaph_config_read(argc, argv, &config);

	if (r)
		return r == SCAPH_CONFIG_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
	scaph_log_set_level(config.log_level);
	r = run(&config);
	scaph_config_clear(&config);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
