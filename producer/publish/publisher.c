/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher.c - one window after the other
 */
#include "producer/publish/publisher.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "producer/publish/bulletin.h"
#include "producer/publish/dram.h"
#include "producer/process/birth.h"
#include "producer/process/clock.h"
#include "producer/process/thread.h"
#include "producer/publish/sampling.h"
#include "producer/publish/window.h"

/* Twice as often as promised: a late one is still in time. */
#define REFRESH_NS (SCAPH_SLOW_PERIOD_NS / 2)
#define BEAT_NS (SCAPH_BEAT_PERIOD_NS / 2)

/* Notes wait no longer than this, and each window's end where those are longer. */
#define NOTES_NS (10 * SCAPH_NS_PER_MS)

/*
 * Prices and idle power outlive the daemon, but were of the source that it had: a trace, an estimate or
 * other counters say nothing about the power of this one. Sums go on.
 */
static void keep_to_source(struct scaph_host_tally *tally, const struct scaph_source *source)
{
	if (tally->source != source->ops->id || tally->packages != source->packages) {
		memset(tally->price, 0, sizeof(tally->price));
		tally->held_idle_uw = 0;
		tally->learnt_idle_uw = 0;
	}
	tally->source = source->ops->id;
	tally->packages = source->packages;
}

static uint64_t mono_ns(void)
{
	return scaph_clock_ns(CLOCK_MONOTONIC);
}

int scaph_publisher_init(struct scaph_publisher *pub, const struct scaph_publisher_parts *parts)
{
	const struct scaph_source *source = parts->terms->source;
	const struct scaph_config *config = parts->terms->config;
	int r = 0;

	*pub = (struct scaph_publisher){
		.terms = parts->terms,
		.samplers = parts->samplers,
		.packages = source->packages,
		.meter = parts->meter,
		.table = parts->table,
		.ledger = parts->ledger,
		.recorder = parts->recorder,
		.cpus = parts->cpus,
		.clock_ns = parts->clock_ns ? parts->clock_ns : mono_ns,
		.gap_max_ns = scaph_sampler_gap_max_ns(source->wrap_ns),
		.pricing = { .packages = source->packages },
		.idle = { .cpus = parts->cpus },
		.idle_given = config->idle_given || source->idle_known ||
			      !scaph_source_has_package(source),
		.own = { .pid = getpid(), .cpu_clock = CLOCK_PROCESS_CPUTIME_ID },
		.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	scaph_thread_lock_init(&pub->lock);
	scaph_edge_init(&pub->edge, &pub->samplers[0]);
	if (pub->wake_fd < 0)
		return -errno;
	scaph_ledger_load_host(pub->ledger, &pub->tally);
	keep_to_source(&pub->tally, source);
	if (!scaph_source_has_package(source))
		pub->tally.learnt_idle_uw = 0;
	else if (config->idle_given)
		scaph_window_set_idle(pub, config->idle_uw);
	else if (source->idle_known)
		scaph_window_set_idle(pub, source->idle_uw);
	else if (pub->tally.learnt_idle_uw)
		scaph_window_set_idle(pub, pub->tally.learnt_idle_uw);
	if (scaph_birth_ticks(pub->own.pid, &pub->own.birth_ticks) == 0)
		r = scaph_meter_enter(pub->meter, &pub->own);
	return r ? r : scaph_publication_open(pub->terms, NULL, false, &pub->host);
}

void scaph_publisher_deinit(struct scaph_publisher *pub)
{
	scaph_meter_leave(pub->meter, &pub->own);
	if (pub->wake_fd >= 0)
		close(pub->wake_fd);
	pub->wake_fd = -1;
}

static void wake_main(struct scaph_publisher *pub)
{
	uint64_t one = 1;

	if (write(pub->wake_fd, &one, sizeof(one)) < 0)
		return; /* already full of wake-ups */
}

/* Notes to and from the main thread about one domain; true: there is something new for it. */
static bool exchange_entry(struct scaph_entry *entry)
{
	uint8_t failed = scaph_publication_failed(&entry->publication);
	bool news = failed != entry->failed || entry->gone != entry->reading.gone;

	entry->failed = failed;
	entry->gone |= entry->reading.gone;
	entry->publication.state = entry->paused ? SCAPH_STATE_PAUSED : SCAPH_STATE_LIVE;
	if (entry->refresh)
		scaph_publication_refresh(&entry->publication);
	entry->refresh = false;
	return news;
}

/* Exchange notes with the main thread; false: asked to stop. */
static bool exchange_notes(struct scaph_publisher *pub)
{
	uint8_t host_failed = scaph_publication_failed(&pub->host);
	bool stop, news;

	pthread_mutex_lock(&pub->lock);
	pub->turns++;
	stop = pub->stop;
	news = host_failed != pub->host_failed || (pub->lost || pub->held) != pub->source_lost ||
	       pub->sweep_failed != pub->meter_lost ||
	       pub->learnt_idle_uw != pub->tally.learnt_idle_uw ||
	       pub->budget_noted.step != pub->budget.step ||
	       pub->budget_noted.over != pub->budget.over;
	for (uint32_t i = 0; i < pub->count; i++)
		news |= exchange_entry(pub->live[i]);
	scaph_dram_take(pub);
	pub->host_failed = host_failed;
	pub->source_lost = pub->lost || pub->held;
	pub->meter_lost = pub->sweep_failed;
	pub->learnt_idle_uw = pub->tally.learnt_idle_uw;
	pub->budget_noted = pub->budget;
	pthread_mutex_unlock(&pub->lock);
	if (news)
		wake_main(pub);
	return !stop;
}

static void beat_all(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i < pub->count; i++)
		scaph_publication_beat(&pub->live[i]->publication);
	scaph_publication_beat(&pub->host);
}

/* A guest that was restored has put old bytes back: overwrite them from private memory. */
static void refresh_all(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i < pub->count; i++)
		scaph_publication_refresh(&pub->live[i]->publication);
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

/* When what is next due, and when the window's end is to be met. */
struct schedule {
	uint64_t window_ns, wake_ns, beat_ns, refresh_ns, notes_ns;
};

/* At a step of the counter while someone sees exact windows; on the grid for all others. */
static void plan_window(struct scaph_publisher *pub, struct schedule *due)
{
	due->wake_ns = due->window_ns;
	if (!scaph_sampling_at_steps(pub))
		return;
	scaph_edge_learn(&pub->edge, scaph_clock_ns(CLOCK_MONOTONIC));
	if (pub->edge.stepping.period_ns <= pub->terms->window_ns)
		due->wake_ns = scaph_edge_plan(&pub->edge, due->window_ns, pub->last_ns);
}

static void close_window(struct scaph_publisher *pub, struct schedule *due, uint64_t now_ns)
{
	bool planned = due->wake_ns != due->window_ns;

	pub->at_step = planned && scaph_edge_meet(&pub->edge);
	if (planned)
		now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	scaph_window_close(pub, now_ns);
	/* A reading that was held up has ended it later, and the next is not to be short for that. */
	if (pub->last_ns > now_ns)
		now_ns = pub->last_ns;
	/* A step that lies beside the grid makes nothing late. */
	if (planned && now_ns < due->window_ns + pub->edge.stepping.period_ns)
		now_ns = due->window_ns;
	due->window_ns = next_due_ns(due->window_ns, pub->terms->window_ns, now_ns);
	plan_window(pub, due);
}

/* One tick, in which the table's domains stay. */
static bool tick(struct scaph_publisher *pub, struct schedule *due, uint64_t now_ns)
{
	if (now_ns >= due->wake_ns)
		close_window(pub, due, now_ns);
	else
		scaph_window_look(pub, now_ns);
	now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	/* Now rather than half a window late: the next tick may be a window away. */
	if (now_ns + pub->terms->window_ns / 2 >= due->beat_ns) {
		beat_all(pub);
		due->beat_ns = now_ns + BEAT_NS;
	}
	if (now_ns - pub->second_ns >= SCAPH_SLOW_PERIOD_NS) {
		scaph_sampling_second(pub, now_ns);
		scaph_bulletin_second(pub, now_ns);
	}
	if (now_ns >= due->refresh_ns) {
		refresh_all(pub);
		due->refresh_ns = now_ns + REFRESH_NS;
	}
	if (now_ns < due->notes_ns)
		return true;
	due->notes_ns = now_ns + NOTES_NS;
	return exchange_notes(pub);
}

static void *run(void *argument)
{
	struct scaph_publisher *pub = argument;
	/* Short windows beat as they close, without a wake-up more. */
	bool beat_alone = pub->terms->window_ns > BEAT_NS, go_on = true;
	struct schedule due = {
		.window_ns = pub->last_ns + pub->terms->window_ns,
		.wake_ns = pub->last_ns + pub->terms->window_ns,
		.beat_ns = pub->last_ns + BEAT_NS,
		.refresh_ns = pub->last_ns + REFRESH_NS,
	};

	scaph_table_register_reader();
	while (go_on) {
		bool beat_first = beat_alone && due.beat_ns < due.wake_ns;

		scaph_clock_sleep_until(beat_first ? due.beat_ns : due.wake_ns);
		scaph_table_begin();
		go_on = tick(pub, &due, scaph_clock_ns(CLOCK_MONOTONIC));
		scaph_table_end();
	}
	scaph_table_unregister_reader();
	return NULL;
}

int scaph_publisher_start(struct scaph_publisher *pub)
{
	int r = scaph_window_begin(pub, scaph_clock_ns(CLOCK_MONOTONIC));

	if (r)
		return r;
	pub->second_ns = pub->last_ns;
	scaph_sampling_begin(pub, pub->last_ns);
	scaph_bulletin_second(pub, pub->last_ns);
	r = scaph_thread_start(&pub->thread, "scaph-publisher", run, pub);
	pub->running = r == 0;
	return r;
}

uint64_t scaph_publisher_turns(struct scaph_publisher *pub)
{
	uint64_t turns;

	pthread_mutex_lock(&pub->lock);
	turns = pub->turns;
	pthread_mutex_unlock(&pub->lock);
	return turns;
}

void scaph_publisher_stop(struct scaph_publisher *pub)
{
	uint64_t now_ns;

	if (!pub->running)
		return;
	pthread_mutex_lock(&pub->lock);
	pub->stop = true;
	pthread_mutex_unlock(&pub->lock);
	pthread_join(pub->thread, NULL);
	pub->running = false;
	now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	scaph_window_look(pub, now_ns);
	scaph_bulletin_retire_all(pub, now_ns);
}
