/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher.c - one window after the other
 */
#include "producer/publisher.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "producer/bulletin.h"
#include "producer/clock.h"
#include "producer/thread.h"
#include "producer/window.h"

#define REFRESH_NS (SCAPH_SLOW_PERIOD_NS / 2) /* half of what is promised: a late one is in time */

int scaph_publisher_init(struct scaph_publisher *pub, const struct scaph_publication_terms *terms,
			 struct scaph_sampler *sampler, struct scaph_meter *meter,
			 struct scaph_publication *domains, struct scaph_reading *readings,
			 uint32_t count)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	*pub = (struct scaph_publisher){
		.sampler = sampler,
		.meter = meter,
		.domains = domains,
		.readings = readings,
		.count = count,
		.splitter = { .idle_known = terms->source->idle_known,
			      .idle_uw = terms->source->idle_uw },
		.zones = terms->source->zones,
		.cpus = cpus > 0 ? (uint32_t)cpus : 1,
		.window_ns = terms->window_ns,
		.gap_max_ns = scaph_window_gap_max_ns(terms->source->wrap_ns),
		.gone = calloc(count + 1, sizeof(*pub->gone)),
		.failed = calloc(count + 1, sizeof(*pub->failed)),
		.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	scaph_thread_lock_init(&pub->lock);
	if (!pub->gone || !pub->failed || pub->wake_fd < 0)
		return -ENOMEM;
	return scaph_publication_open(terms, NULL, &pub->host);
}

void scaph_publisher_deinit(struct scaph_publisher *pub)
{
	free(pub->gone);
	free(pub->failed);
	if (pub->wake_fd >= 0)
		close(pub->wake_fd);
	pub->gone = NULL;
	pub->failed = NULL;
	pub->wake_fd = -1;
}

static void wake_main(struct scaph_publisher *pub)
{
	uint64_t one = 1;

	if (write(pub->wake_fd, &one, sizeof(one)) < 0)
		return; /* already full of wake-ups */
}

void scaph_publisher_domain_gone(struct scaph_publisher *pub, uint32_t domain)
{
	pthread_mutex_lock(&pub->lock);
	pub->gone[domain] = true;
	pthread_mutex_unlock(&pub->lock);
}

/* Exchange notes with the main thread; false: asked to stop. */
static bool exchange_notes(struct scaph_publisher *pub)
{
	bool stop, news = false;

	pthread_mutex_lock(&pub->lock);
	stop = pub->stop;
	for (uint32_t i = 0; i <= pub->count; i++) {
		bool host = i == pub->count;
		uint8_t failed = scaph_publication_failed(host ? &pub->host : &pub->domains[i]);

		news |= failed != pub->failed[i];
		pub->failed[i] = failed;
		if (!host)
			pub->gone[i] = pub->readings[i].gone = pub->gone[i] ||
							       pub->readings[i].gone;
	}
	news |= pub->last.lost != pub->source_lost || pub->sweep_failed != pub->meter_lost;
	pub->source_lost = pub->last.lost;
	pub->meter_lost = pub->sweep_failed;
	pthread_mutex_unlock(&pub->lock);
	if (news)
		wake_main(pub);
	return !stop;
}

static void beat_all(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i < pub->count; i++) {
		if (pub->domains[i].state != SCAPH_STATE_RETIRED)
			scaph_publication_beat(&pub->domains[i]);
	}
	scaph_publication_beat(&pub->host);
}

/* A guest that was restored has put old bytes back: overwrite them from private memory. */
static void refresh_all(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i < pub->count; i++) {
		if (pub->domains[i].state != SCAPH_STATE_RETIRED)
			scaph_publication_refresh(&pub->domains[i]);
	}
	scaph_publication_refresh(&pub->host);
}

/*
 * The next deadline after now on the same grid. Windows that were missed are not made up for: the
 * next record says how long it was. One of less than half a window would be too short for the
 * meter: it goes to the next.
 */
static uint64_t next_due_ns(uint64_t due_ns, uint64_t period_ns, uint64_t now_ns)
{
	due_ns += period_ns;
	if (due_ns <= now_ns)
		due_ns += ((now_ns - due_ns) / period_ns + 1) * period_ns;
	return due_ns - now_ns < period_ns / 2 ? due_ns + period_ns : due_ns;
}

static void *run(void *argument)
{
	struct scaph_publisher *pub = argument;
	/*
	 * Twice as often as promised: a late tick is still in time. Short windows beat as they
	 * close, without a wake-up more.
	 */
	uint64_t beat_every_ns = SCAPH_BEAT_PERIOD_NS / 2;
	bool beat_alone = pub->window_ns > beat_every_ns;
	uint64_t window_due_ns = pub->last.mono_ns + pub->window_ns;
	uint64_t beat_due_ns = pub->last.mono_ns + beat_every_ns;
	uint64_t refresh_due_ns = pub->last.mono_ns + REFRESH_NS;

	while (exchange_notes(pub)) {
		bool beat_first = beat_alone && beat_due_ns < window_due_ns;
		uint64_t now_ns;

		scaph_clock_sleep_until(beat_first ? beat_due_ns : window_due_ns);
		now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
		if (now_ns >= window_due_ns) {
			scaph_window_close(pub);
			window_due_ns = next_due_ns(window_due_ns, pub->window_ns, now_ns);
		}
		beat_all(pub);
		beat_due_ns = now_ns + beat_every_ns;
		scaph_bulletin_retire_gone(pub, now_ns);
		if (now_ns - pub->second_ns >= SCAPH_SLOW_PERIOD_NS)
			scaph_bulletin_second(pub, now_ns);
		if (now_ns >= refresh_due_ns) {
			refresh_all(pub);
			refresh_due_ns = now_ns + REFRESH_NS;
		}
	}
	return NULL;
}

int scaph_publisher_start(struct scaph_publisher *pub)
{
	int r = scaph_window_begin(pub);

	if (r)
		return r;
	pub->second_ns = pub->last.mono_ns;
	scaph_bulletin_second(pub, pub->last.mono_ns);
	r = scaph_thread_start(&pub->thread, "scaph-publisher", run, pub);
	pub->running = r == 0;
	return r;
}

void scaph_publisher_stop(struct scaph_publisher *pub)
{
	if (!pub->running)
		return;
	pthread_mutex_lock(&pub->lock);
	pub->stop = true;
	pthread_mutex_unlock(&pub->lock);
	pthread_join(pub->thread, NULL);
	pub->running = false;
	scaph_bulletin_retire_all(pub, scaph_clock_ns(CLOCK_MONOTONIC));
}
