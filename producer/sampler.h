/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.h - raw counters as 64-bit microjoules, and the thread that reads them between windows
 *
 * Counters that wrap or carry jitter want more reads than there are windows; the publisher takes
 * its own at each window's end. Both go through one mutex, which is never held over a sleep, so
 * that it costs no system call but when they collide.
 */
#ifndef SCAPH_PRODUCER_SAMPLER_H
#define SCAPH_PRODUCER_SAMPLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "producer/counter.h"
#include "producer/source.h"

/* What the sampler knows at one instant. */
struct scaph_energy {
	uint64_t mono_ns; /* CLOCK_MONOTONIC */
	uint64_t zone_uj[SCAPH_ZONES]; /* cumulative since the first reading */
	uint32_t resets; /* times that a counter began anew */
	bool lost; /* the source ended or cannot be read: figures stand still */
};

struct scaph_sampler {
	struct scaph_source *source;
	uint64_t period_ns; /* 0: no thread, once a window is enough */
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* guards what follows, and the reading of the source */
	struct scaph_counter counter[SCAPH_ZONES];
	struct scaph_energy energy;
	bool ended;
	bool stop;
};

/*
 * @source stays the caller's. @hz 0: as the source wants. @window_ns: a thread is for more reads
 * than that.
 */
void scaph_sampler_init(struct scaph_sampler *sampler, struct scaph_source *source, uint32_t hz,
			uint64_t window_ns);

/* Start the thread if there is a period: 0 or a negative errno. */
int scaph_sampler_start(struct scaph_sampler *sampler);
void scaph_sampler_stop(struct scaph_sampler *sampler);

/* Read the source now. Any thread. */
void scaph_sampler_read(struct scaph_sampler *sampler, struct scaph_energy *ret_energy);

#endif
