/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher.h - the thread that closes windows: meter and energy of one instant, divided, published
 *
 * Steady state: no allocation, no logging, no system call but clock, sleep and counter reads. What
 * happened that people should know is noted and the main thread woken. The one lock is taken once a
 * tick and held by others for moments only.
 *
 * publisher.c has the thread and the notes, window.c what is done at a window's end, bulletin.c
 * what is said once a second.
 */
#ifndef SCAPH_PRODUCER_PUBLISHER_H
#define SCAPH_PRODUCER_PUBLISHER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "producer/attribution.h"
#include "producer/meter.h"
#include "producer/publication.h"
#include "producer/sampler.h"

struct scaph_publisher {
	struct scaph_sampler *sampler;
	struct scaph_meter *meter;
	struct scaph_publication *domains; /* one a reading, same order */
	struct scaph_reading *readings;
	uint32_t count;
	struct scaph_publication host;
	struct scaph_splitter splitter;
	uint32_t zones, cpus;
	uint64_t window_ns, origin_ns;
	uint64_t gap_max_ns; /* a longer one is nobody's */
	uint64_t suspended_ns; /* slept since boot, as of the last window */
	struct scaph_energy last; /* as of the last window */
	uint64_t host_uj[SCAPH_ZONES]; /* measured since the epoch began */
	uint64_t unattributed_uj; /* package energy of gaps, contained in host_uj */
	uint32_t records_this_second;
	uint64_t second_ns;
	bool sweep_failed; /* the last one; its window goes to the next */
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* guards what follows */
	bool stop;
	bool source_lost; /* noted for the main thread */
	bool meter_lost;
	bool *gone; /* by domain: told by the main thread, or found by the meter */
	uint8_t *failed; /* by domain, the host last: scaph_publication_failed() */
	int wake_fd; /* eventfd: something was noted */
};

/* @domains and @readings hold count entries and stay the caller's; 0 or a negative errno. */
int scaph_publisher_init(struct scaph_publisher *publisher,
			 const struct scaph_publication_terms *terms, struct scaph_sampler *sampler,
			 struct scaph_meter *meter, struct scaph_publication *domains,
			 struct scaph_reading *readings, uint32_t count);

/* Take the baseline, begin an epoch everywhere, start the thread. */
int scaph_publisher_start(struct scaph_publisher *publisher);

/* Stop the thread, retire every publication with the reason that the producer ended. */
void scaph_publisher_stop(struct scaph_publisher *publisher);
void scaph_publisher_deinit(struct scaph_publisher *publisher);

/* Main thread: a domain's process ended. */
void scaph_publisher_domain_gone(struct scaph_publisher *publisher, uint32_t domain);

#endif
