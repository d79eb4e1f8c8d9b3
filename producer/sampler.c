/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.c - reads of the source, periodic ones at absolute deadlines
 */
#include "producer/sampler.h"

#include "producer/clock.h"
#include "producer/thread.h"

void scaph_sampler_init(struct scaph_sampler *sampler, struct scaph_source *source, uint32_t hz,
			uint64_t window_ns)
{
	uint32_t rate_hz = hz ? hz : source->sample_hz;

	*sampler = (struct scaph_sampler){
		.source = source,
		.period_ns = rate_hz ? SCAPH_NS_PER_S / rate_hz : 0,
	};
	if (sampler->period_ns >= window_ns)
		sampler->period_ns = 0;
	for (int zone = 0; zone < SCAPH_ZONES; zone++)
		sampler->counter[zone].range_uj = source->range_uj[zone];
	scaph_thread_lock_init(&sampler->lock);
}

/* Not readable now: when it is again, what lies between belongs to no window. */
static void lose(struct scaph_sampler *sampler)
{
	sampler->energy.lost = true;
	for (int zone = 0; zone < SCAPH_ZONES; zone++)
		scaph_counter_rebase(&sampler->counter[zone]);
}

static void read_locked(struct scaph_sampler *sampler)
{
	uint64_t raw_uj[SCAPH_ZONES] = {};
	int r;

	/* Under the lock, so that no reader's time is older than the reading before. */
	sampler->energy.mono_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	if (sampler->ended)
		return;
	r = sampler->source->ops->read(sampler->source, sampler->energy.mono_ns, raw_uj);
	if (r < 0) {
		lose(sampler);
		return;
	}
	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		if (!(sampler->source->zones & 1U << zone))
			continue;
		if (scaph_counter_advance(&sampler->counter[zone], raw_uj[zone]))
			sampler->energy.resets++;
		sampler->energy.zone_uj[zone] = sampler->counter[zone].energy_uj;
	}
	sampler->ended = r == SCAPH_SOURCE_ENDED;
	sampler->energy.lost = sampler->ended;
}

void scaph_sampler_read(struct scaph_sampler *sampler, struct scaph_energy *ret_energy)
{
	pthread_mutex_lock(&sampler->lock);
	read_locked(sampler);
	*ret_energy = sampler->energy;
	pthread_mutex_unlock(&sampler->lock);
}

/* One periodic read; false: there is nothing more to do. */
static bool sample(struct scaph_sampler *sampler)
{
	bool go_on;

	pthread_mutex_lock(&sampler->lock);
	go_on = !sampler->stop && !sampler->ended;
	if (go_on)
		read_locked(sampler);
	pthread_mutex_unlock(&sampler->lock);
	return go_on;
}

static void *run(void *argument)
{
	struct scaph_sampler *sampler = argument;
	uint64_t due_ns = scaph_clock_ns(CLOCK_MONOTONIC);

	while (sample(sampler)) {
		uint64_t now_ns = scaph_clock_ns(CLOCK_MONOTONIC);

		/* After a long halt the missed reads are not made up for. */
		due_ns += sampler->period_ns;
		if (now_ns > due_ns + sampler->period_ns)
			due_ns = now_ns;
		scaph_clock_sleep_until(due_ns);
	}
	return NULL;
}

int scaph_sampler_start(struct scaph_sampler *sampler)
{
	int r;

	if (!sampler->period_ns)
		return 0;
	r = scaph_thread_start(&sampler->thread, "scaph-sampler", run, sampler);
	sampler->running = r == 0;
	return r;
}

void scaph_sampler_stop(struct scaph_sampler *sampler)
{
	if (!sampler->running)
		return;
	pthread_mutex_lock(&sampler->lock);
	sampler->stop = true;
	pthread_mutex_unlock(&sampler->lock);
	pthread_join(sampler->thread, NULL);
	sampler->running = false;
}
