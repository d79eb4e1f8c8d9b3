/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.c - periodic reads at absolute deadlines
 */
#include "producer/sampler.h"

#include "producer/clock.h"
#include "producer/privilege.h"
#include "producer/thread.h"

void scaph_sampler_init(struct scaph_sampler *sampler, struct scaph_source *source, uint32_t hz)
{
	*sampler = (struct scaph_sampler){
		.source = source,
		.period_ns = hz ? SCAPH_NS_PER_S / hz : 0,
	};
	pthread_mutex_init(&sampler->lock, NULL);
}

void scaph_sampler_read(struct scaph_sampler *sampler, uint64_t now_ns,
			struct scaph_energy *ret_energy)
{
	pthread_mutex_lock(&sampler->lock);
	sampler->source->ops->sample(sampler->source, now_ns, &sampler->energy);
	*ret_energy = sampler->energy;
	pthread_mutex_unlock(&sampler->lock);
}

static bool asked_to_stop(struct scaph_sampler *sampler)
{
	bool stop;

	pthread_mutex_lock(&sampler->lock);
	stop = sampler->stop;
	pthread_mutex_unlock(&sampler->lock);
	return stop;
}

static void *run(void *argument)
{
	struct scaph_sampler *sampler = argument;
	uint64_t due_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	struct scaph_energy energy;

	scaph_privilege_drop();
	while (!asked_to_stop(sampler)) {
		uint64_t now_ns;

		due_ns += sampler->period_ns;
		scaph_clock_sleep_until(due_ns);
		now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
		/* After a long halt the missed reads are not made up for. */
		if (now_ns > due_ns + sampler->period_ns)
			due_ns = now_ns;
		scaph_sampler_read(sampler, now_ns, &energy);
	}
	return NULL;
}

int scaph_sampler_start(struct scaph_sampler *sampler, bool *ret_realtime)
{
	int r;

	*ret_realtime = false;
	if (!sampler->period_ns)
		return 0;
	r = scaph_thread_start(&sampler->thread, "scaph-sampler", run, sampler, ret_realtime);
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
