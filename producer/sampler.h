/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.h - the thread that reads the source between windows, and the energy of this instant
 *
 * Counters that wrap or carry jitter want more reads than there are windows; the publisher takes its own at each window's end.
 * Both go through one mutex, which is never held over a sleep, so that it costs no system call but when they collide.
 */
#ifndef SCAPH_PRODUCER_SAMPLER_H
#define SCAPH_PRODUCER_SAMPLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "producer/source.h"

struct scaph_sampler {
	struct scaph_source *source;
	pthread_mutex_t lock;
	struct scaph_energy energy;
	uint64_t period_ns; /* 0: no thread, once a window is enough */
	pthread_t thread;
	bool running;
	bool stop;
};

/* @source stays the caller's. */
void scaph_sampler_init(struct scaph_sampler *sampler, struct scaph_source *source, uint32_t hz);

/* Start the thread if there is a period: 0 or a negative errno. *ret_realtime says whether it runs SCHED_FIFO. */
int scaph_sampler_start(struct scaph_sampler *sampler, bool *ret_realtime);
void scaph_sampler_stop(struct scaph_sampler *sampler);

/* The source's energy as of now_ns. Any thread. */
void scaph_sampler_read(struct scaph_sampler *sampler, uint64_t now_ns,
			struct scaph_energy *ret_energy);

#endif
