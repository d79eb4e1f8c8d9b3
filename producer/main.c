/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - scaphd: measure, divide, publish
 *
 * The main thread opens everything, starts the threads, gives its capabilities away and then waits:
 * for signals, for processes of domains to end, for notes from the publisher (report.c), for letters
 * about machines, for requests of root, for the next look at memory traffic and at shares. It alone
 * changes the table of domains.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "producer/config/config.h"
#include "producer/daemon.h"
#include "producer/publish/lifecycle.h"
#include "producer/process/log.h"
#include "producer/process/notify.h"
#include "producer/process/privilege.h"
#include "producer/process/thread.h"
#include "shm/guard.h"

#define LOOK_S 2 /* between looks for shares that came */

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

static bool watch_fd(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)fd };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Pointers to entries are far above any descriptor's number. */
static bool is_entry(const struct epoll_event *event)
{
	return event->data.u64 > INT_MAX;
}

static int open_timer(void)
{
	const struct itimerspec every = { .it_interval.tv_sec = LOOK_S, .it_value.tv_sec = LOOK_S };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		timerfd_settime(fd, 0, &every, NULL);
	return fd;
}

/* What is looked for every few seconds, for nobody tells. */
static void tend(struct scaph_daemon *daemon, int timer_fd)
{
	uint64_t ticks;

	if (read(timer_fd, &ticks, sizeof(ticks)) < 0)
		return;
	scaph_daemon_tell_alive(daemon);
	scaph_daemon_tell_status(daemon);
	scaph_admission_look_at_shares(&daemon->admission);
	scaph_meter_tend(daemon->meter);
}

/* Until a signal asks for the end. One event a turn: acting on it may end others. */
static int watch(struct scaph_daemon *daemon, int signal_fd, int timer_fd)
{
	struct scaph_admission *admission = &daemon->admission;
	struct epoll_event event;
	uint64_t ticks;

	for (;;) {
		if (epoll_wait(admission->epoll_fd, &event, 1, -1) < 1) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (is_entry(&event))
			scaph_admission_leave(admission, event.data.ptr, "its process has ended");
		else if (event.data.u64 == (uint64_t)signal_fd)
			return 0;
		else if (event.data.u64 == (uint64_t)daemon->publisher.wake_fd)
			scaph_daemon_report(daemon);
		else if (event.data.u64 == (uint64_t)daemon->mailbox.wake_fd)
			scaph_lifecycle_act(admission, &daemon->mailbox);
		else if (daemon->control &&
			 event.data.u64 == (uint64_t)scaph_control_fd(daemon->control))
			scaph_control_act(daemon->control);
		else if (event.data.u64 == (uint64_t)timer_fd)
			tend(daemon, timer_fd);
		else if (read(daemon->dram.timer_fd, &ticks, sizeof(ticks)) > 0)
			scaph_dram_act(&daemon->dram);
	}
}

static int wait_for_end(struct scaph_daemon *daemon, int signal_fd)
{
	int epoll_fd = daemon->admission.epoll_fd, timer_fd = open_timer(), r = -EMFILE;

	if (timer_fd >= 0 && watch_fd(epoll_fd, signal_fd) && watch_fd(epoll_fd, timer_fd) &&
	    watch_fd(epoll_fd, daemon->publisher.wake_fd) &&
	    watch_fd(epoll_fd, daemon->mailbox.wake_fd) &&
	    (!daemon->control || watch_fd(epoll_fd, scaph_control_fd(daemon->control))) &&
	    (daemon->dram.timer_fd < 0 || watch_fd(epoll_fd, daemon->dram.timer_fd)))
		r = watch(daemon, signal_fd, timer_fd);
	if (timer_fd >= 0)
		close(timer_fd);
	return r;
}

static int start_threads(struct scaph_daemon *daemon)
{
	int r = scaph_publisher_start(&daemon->publisher);

	for (uint32_t p = 0; p < daemon->source->packages && r == 0; p++)
		r = scaph_sampler_start(&daemon->samplers[p]);
	if (r == 0)
		daemon->admission.running = true;
	return r;
}

/*
 * All is open: nothing from here on needs a privilege but the threads' priority, which they
 * inherit, and the segments of domains that come later.
 */
static int start(struct scaph_daemon *daemon)
{
	bool realtime = scaph_thread_enter_realtime();
	unsigned int keep = scaph_daemon_has_hypervisor(daemon) || daemon->discovery
				    ? SCAPH_KEEP_OPENING
				    : SCAPH_KEEP_NOTHING;
	int r = scaph_privilege_drop(daemon->discovery ? keep | SCAPH_KEEP_LOOKING : keep);

	if (r) {
		scaph_error("capabilities cannot be dropped: %s; start scaphd as root or as an "
			    "ordinary user",
			    strerror(-r));
		return r;
	}
	r = start_threads(daemon);
	scaph_thread_leave_realtime();
	if (r == 0 && daemon->recorder)
		r = scaph_recorder_start(daemon->recorder);
	if (r) {
		scaph_error("cannot start publishing: %s", strerror(-r));
		return r;
	}
	scaph_source_say(daemon->source);
	scaph_info("meter %s: %s%s%s", daemon->meter->ops->name, daemon->meter->ops->about,
		   daemon->meter->others[0] ? "; " : "", daemon->meter->others);
	if (daemon->dram.timer_fd >= 0)
		scaph_dram_act(&daemon->dram);
	scaph_info("publishing every %u ms, source %s%s, meter %s%s",
		   (unsigned int)(daemon->terms.window_ns / 1000000), daemon->source->ops->name,
		   daemon->source->estimated ? " (estimated)" : "", daemon->meter->ops->name,
		   realtime ? "" : "; no real-time priority: windows may close late under load");
	r = scaph_daemon_listen(daemon);
	/* What only the thread that looks for machines needs, and has by now. */
	return r ? r : scaph_privilege_drop(keep);
}

static int serve(struct scaph_daemon *daemon, int signal_fd)
{
	int r = scaph_daemon_open_segments(daemon);

	if (r)
		return r;
	r = start(daemon);
	if (r == 0) {
		scaph_daemon_tell_status(daemon);
		scaph_notify_ready();
		r = wait_for_end(daemon, signal_fd);
		scaph_notify_stopping();
	}
	for (uint32_t p = 0; p < daemon->source->packages; p++)
		scaph_sampler_stop(&daemon->samplers[p]);
	scaph_publisher_stop(&daemon->publisher);
	return r;
}

/* A descriptor for each segment and process: a thousand domains need more than the usual limit. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(const struct scaph_config *config)
{
	static struct scaph_daemon daemon; /* too large for a stack */
	int signal_fd = block_signals();
	int r = signal_fd < 0 ? signal_fd : scaph_guard_install();

	if (r) {
		scaph_error("signals cannot be handled: %s", strerror(-r));
		return r;
	}
	allow_descriptors();
	r = scaph_daemon_open(config, &daemon);
	if (r == 0 && config->calibrate)
		r = scaph_daemon_calibrate(&daemon, signal_fd);
	else if (r == 0)
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
