/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - scaphd: measure, divide, publish
 *
 * The main thread opens everything, starts the threads, gives its capabilities away and then only waits: for signals, for
 * processes of domains to end, for notes from the publisher.
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
#include "shm/guard.h"

static int block_signals(void)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Failed mappings are noted in their guards; each is said once. */
static void report_failed_segments(struct scaph_daemon *daemon)
{
	for (uint32_t i = 0; i < daemon->count; i++) {
		struct scaph_publication *pub = &daemon->publications[i];

		for (uint32_t o = 0; o < pub->outlets; o++) {
			struct scaph_outlet *outlet = &pub->outlet[o];

			if (outlet->reported || !scaph_guard_failed(&outlet->segment.guard))
				continue;
			outlet->reported = true;
			scaph_warning("the segment of domain %s was cut under us and is no longer "
				      "written; give it a "
				      "fresh share and restart scaphd",
				      daemon->domains[i].shown);
		}
	}
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

static void report_notes(struct scaph_daemon *daemon)
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
	pthread_mutex_unlock(&pub->lock);
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

static int wait_for_end(struct scaph_daemon *daemon, int signal_fd)
{
	struct pollfd *polls = calloc(daemon->count + 2, sizeof(*polls));

	if (!polls)
		return -ENOMEM;
	for (uint32_t i = 0; i < daemon->count; i++)
		polls[i] = (struct pollfd){ .fd = daemon->domains[i].pidfd, .events = POLLIN };
	polls[daemon->count] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
	polls[daemon->count + 1] =
		(struct pollfd){ .fd = daemon->publisher.wake_fd, .events = POLLIN };
	while (!(polls[daemon->count].revents & POLLIN)) {
		if (poll(polls, daemon->count + 2, 1000) < 0 && errno != EINTR)
			break;
		for (uint32_t i = 0; i < daemon->count; i++) {
			if (polls[i].fd >= 0 && polls[i].revents)
				report_gone(daemon, i, &polls[i]);
		}
		if (polls[daemon->count + 1].revents)
			report_notes(daemon);
		report_failed_segments(daemon);
	}
	free(polls);
	return 0;
}

static int serve(struct scaph_daemon *daemon, int signal_fd)
{
	bool sampler_rt = false, publisher_rt = false;
	int r = scaph_daemon_open_segments(daemon);

	if (r)
		return r;
	r = scaph_publisher_start(&daemon->publisher, &publisher_rt);
	if (r == 0)
		r = scaph_sampler_start(&daemon->sampler, &sampler_rt);
	if (r) {
		scaph_error("cannot start publishing: %s", strerror(-r));
	} else {
		if (scaph_privilege_drop())
			scaph_warning("capabilities could not be dropped");
		scaph_info("publishing %u domain(s) every %u ms, source %s%s, meter %s%s",
			   daemon->count, (unsigned int)(daemon->terms.window_ns / 1000000),
			   daemon->source->ops->name,
			   daemon->source->estimated ? " (estimated)" : "",
			   daemon->meter->ops->name,
			   publisher_rt
				   ? ""
				   : "; no real-time priority: windows may close late under load");
		r = wait_for_end(daemon, signal_fd);
	}
	scaph_sampler_stop(&daemon->sampler);
	scaph_publisher_stop(&daemon->publisher);
	return r;
}

int main(int argc, char **argv)
{
	struct scaph_config config;
	struct scaph_daemon daemon;
	int signal_fd, r;

	r = scaph_config_read(argc, argv, &config);
	if (r)
		return r == SCAPH_CONFIG_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
	scaph_log_set_level(config.log_level);
	signal_fd = block_signals();
	r = scaph_guard_install();
	if (r == 0)
		r = scaph_daemon_open(&config, &daemon);
	if (r == 0 && config.check)
		scaph_daemon_describe(&daemon);
	else if (r == 0)
		r = serve(&daemon, signal_fd);
	scaph_daemon_close(&daemon);
	close(signal_fd);
	scaph_config_clear(&config);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
