/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.c - reads of a package, periodic ones at absolute deadlines
 */
#include "producer/source/sampler.h"

#include <errno.h>
#include <stdio.h>

#include "producer/process/clock.h"
#include "producer/process/thread.h"

#define WRAP_PARTS 8
#define GAP_PARTS 4
#define GAP_LIMIT_NS (15 * SCAPH_NS_PER_S)

/* A period that asks for more than a read each window, and not for more than a thread can do; else 0. */
static uint64_t between_windows(uint64_t period_ns, uint64_t window_ns)
{
	if (!period_ns || period_ns >= window_ns)
		return 0;
	return period_ns > SCAPH_NS_PER_MS ? period_ns : SCAPH_NS_PER_MS;
}

/* The shorter one of two periods of which either may be none. */
static uint64_t shorter(uint64_t a_ns, uint64_t b_ns)
{
	if (!a_ns || !b_ns)
		return a_ns + b_ns;
	return a_ns < b_ns ? a_ns : b_ns;
}

static uint64_t period_of(uint32_t hz)
{
	return hz ? SCAPH_NS_PER_S / hz : 0;
}

void scaph_sampler_init(struct scaph_sampler *sampler, struct scaph_source *source,
			uint32_t package, int cpu, uint32_t hz, uint64_t window_ns)
{
	/* A counter that can wrap within a few windows is looked at between their ends. */
	uint64_t need_ns = shorter(period_of(source->sample_hz), source->wrap_ns / WRAP_PARTS);

	*sampler = (struct scaph_sampler){
		.source = source,
		.package = package,
		.cpu = cpu,
		.need_ns = between_windows(need_ns, window_ns),
		.asked_ns = between_windows(shorter(period_of(hz), need_ns), window_ns),
	};
	sampler->period_ns = sampler->asked_ns;
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		sampler->counter[zone].range = source->package[package].counter[zone].range;
		sampler->counter[zone].step_units =
			source->package[package].counter[zone].step_units;
	}
	scaph_thread_lock_init(&sampler->lock);
	pthread_cond_init(&sampler->changed, NULL);
}

uint64_t scaph_sampler_gap_max_ns(uint64_t wrap_ns)
{
	uint64_t part_ns = wrap_ns / GAP_PARTS;

	return wrap_ns && part_ns < GAP_LIMIT_NS ? part_ns : GAP_LIMIT_NS;
}

/* How far each counter can have come since it was read last. */
static void bound_steps(struct scaph_sampler *sampler, uint64_t dt_ns)
{
	const struct scaph_source_counter *known =
		sampler->source->package[sampler->package].counter;

	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		struct scaph_counter *counter = &sampler->counter[zone];
		uint64_t wrap_ns = known[zone].wrap_ns ? known[zone].wrap_ns
						       : sampler->source->wrap_ns;

		if (counter->range && wrap_ns)
			counter->most = scaph_counter_most(counter->range, wrap_ns, dt_ns);
	}
}

static void read_locked(struct scaph_sampler *sampler, uint64_t now_ns)
{
	struct scaph_energy *energy = &sampler->energy;
	uint64_t raw[SCAPH_ZONES] = {};
	int r;

	if (energy->ended)
		return;
	/* Two threads take their times before the lock: for the source time never goes back. */
	if (now_ns > sampler->read_ns)
		sampler->read_ns = now_ns;
	r = sampler->source->ops->read(sampler->source, sampler->package, sampler->read_ns, raw);
	energy->lost = r < 0 || r == SCAPH_SOURCE_ENDED;
	energy->ended = r == SCAPH_SOURCE_ENDED;
	if (r < 0)
		return;
	energy->reads++;
	if (r == SCAPH_SOURCE_GAP)
		energy->resets++;
	bound_steps(sampler, sampler->read_ns - sampler->good_ns);
	sampler->good_ns = sampler->read_ns;
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		if (!(sampler->source->package[sampler->package].zones & 1U << zone))
			continue;
		if (scaph_counter_advance(&sampler->counter[zone], raw[zone]))
			energy->resets++;
		energy->raw[zone] = raw[zone];
		energy->zone_units[zone] = sampler->counter[zone].energy_units;
	}
}

void scaph_sampler_read(struct scaph_sampler *sampler, uint64_t now_ns,
			struct scaph_energy *ret_energy)
{
	pthread_mutex_lock(&sampler->lock);
	read_locked(sampler, now_ns);
	*ret_energy = sampler->energy;
	pthread_mutex_unlock(&sampler->lock);
}

bool scaph_sampler_peek(struct scaph_sampler *sampler, uint64_t *ret_raw)
{
	int r = -ESHUTDOWN;

	pthread_mutex_lock(&sampler->lock);
	if (!sampler->energy.ended && !sampler->energy.lost)
		r = sampler->source->ops->peek(sampler->source, sampler->package, ret_raw);
	pthread_mutex_unlock(&sampler->lock);
	return r == 0;
}

void scaph_sampler_set_period(struct scaph_sampler *sampler, uint64_t period_ns)
{
	pthread_mutex_lock(&sampler->lock);
	if (sampler->period_ns != period_ns)
		pthread_cond_signal(&sampler->changed);
	sampler->period_ns = period_ns;
	pthread_mutex_unlock(&sampler->lock);
}

/* One periodic read, after a rest if need be; false: there is nothing more to do. */
static bool sample(struct scaph_sampler *sampler, uint64_t *ret_period_ns)
{
	bool go_on;

	pthread_mutex_lock(&sampler->lock);
	while (!sampler->period_ns && !sampler->stop)
		pthread_cond_wait(&sampler->changed, &sampler->lock);
	go_on = !sampler->stop && !sampler->energy.ended;
	if (go_on) {
		read_locked(sampler, scaph_clock_ns(CLOCK_MONOTONIC));
		*ret_period_ns = sampler->period_ns;
	}
	pthread_mutex_unlock(&sampler->lock);
	return go_on;
}

static void *run(void *argument)
{
	struct scaph_sampler *sampler = argument;
	uint64_t due_ns = scaph_clock_ns(CLOCK_MONOTONIC), period_ns;

	/* One that cannot be had is a read from elsewhere: slower, not wrong. */
	if (sampler->cpu >= 0)
		scaph_thread_pin(sampler->cpu);
	while (sample(sampler, &period_ns)) {
		uint64_t now_ns = scaph_clock_ns(CLOCK_MONOTONIC);

		/* After a long halt or a rest the missed reads are not made up for. */
		due_ns += period_ns;
		if (now_ns > due_ns + period_ns)
			due_ns = now_ns;
		scaph_clock_sleep_until(due_ns);
	}
	return NULL;
}

int scaph_sampler_start(struct scaph_sampler *sampler)
{
	char name[16];
	int r;

	if (!sampler->asked_ns)
		return 0;
	snprintf(name, sizeof(name), "scaph-sample%u", sampler->package % 100);
	r = scaph_thread_start(&sampler->thread, name, run, sampler);
	sampler->running = r == 0;
	return r;
}

void scaph_sampler_stop(struct scaph_sampler *sampler)
{
	if (!sampler->running)
		return;
	pthread_mutex_lock(&sampler->lock);
	sampler->stop = true;
	pthread_cond_signal(&sampler->changed);
	pthread_mutex_unlock(&sampler->lock);
	pthread_join(sampler->thread, NULL);
	sampler->running = false;
}
