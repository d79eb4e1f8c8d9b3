/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher.h - the thread that closes windows: meter and energy of one instant, divided, published
 *
 * Steady state: no allocation, no logging, no system call but clock, sleep and counter reads. What
 * happened that people should know is noted and the main thread woken. It takes one lock a tick, held
 * by others for moments only, and sees the table of domains under one RCU read lock a tick.
 *
 * publisher.c has the thread and the notes, instant.c the readings, window.c what is done at a
 * window's end, division.c the division and the records, bulletin.c what is said once a second, dram.c
 * what dram energy is divided by, sampling.c how often counters are read and steps looked for.
 */
#ifndef SCAPH_PRODUCER_PUBLISHER_H
#define SCAPH_PRODUCER_PUBLISHER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "producer/account/attribution.h"
#include "producer/account/idle.h"
#include "producer/meter/meter.h"
#include "producer/account/price.h"
#include "producer/publish/budget.h"
#include "producer/publish/publication.h"
#include "producer/publish/recorder.h"
#include "producer/source/edge.h"
#include "producer/source/sampler.h"
#include "producer/account/ledger.h"
#include "producer/publish/table.h"

/* Memory traffic of all there is in a second; every entry has its own part of it. */
struct scaph_publisher_traffic {
	bool known; /* of every domain at that time */
	uint64_t noted_ns; /* CLOCK_MONOTONIC */
	uint64_t whole[SCAPH_PACKAGES_MAX];
};

struct scaph_publisher {
	const struct scaph_publication_terms *terms;
	struct scaph_sampler *samplers; /* one a package */
	uint32_t packages;
	struct scaph_meter *meter;
	struct scaph_table *table;
	struct scaph_ledger *ledger;
	struct scaph_recorder *recorder; /* NULL: nothing is recorded */
	uint32_t cpus; /* of the host */
	uint64_t (*clock_ns)(void); /* that windows are counted by */
	uint64_t gap_max_ns; /* a longer one is nobody's */

	struct scaph_publication host;
	struct scaph_host_tally tally;
	struct scaph_splitter splitter[SCAPH_PACKAGES_MAX]; /* of the package zones */
	struct scaph_pricing pricing;
	struct scaph_idle idle;
	bool idle_given; /* by operator or source: nothing is learnt */
	struct scaph_publisher_traffic traffic; /* in force */

	/* As of the last window; last_ns 0: there was none yet. */
	uint64_t last_ns;
	struct scaph_energy last[SCAPH_PACKAGES_MAX];
	uint64_t suspended_ns; /* slept since boot */
	bool lost; /* a package's energy cannot be read, for longer than can be bridged */
	bool held; /* nor now, but that may pass: the window stays open */
	bool at_step; /* the window that is being closed ends at a step of the counter */
	bool sweep_failed; /* its window goes to the next */

	/* What this tick sees of the table; the daemon's own process is the last reading. */
	struct scaph_entry *live[SCAPH_LEDGER_DOMAINS_MAX];
	struct scaph_reading *readings[SCAPH_LEDGER_DOMAINS_MAX + 1];
	uint32_t count;
	uint64_t version; /* of the table that this is of; 0: it has to be looked at again */
	bool trusted; /* one of them is: windows end at steps of the counter */
	struct scaph_reading own;
	struct {
		uint64_t cpu_ns, package_ns[SCAPH_PACKAGES_MAX];
	} kept[SCAPH_LEDGER_DOMAINS_MAX + 1]; /* of a sweep that is followed by another */
	struct scaph_edge edge;

	struct scaph_budget budget;
	uint64_t reads, read_second_ns; /* of the first package, as of the last second */
	uint64_t read_rate_millihz;

	uint32_t records_this_second;
	uint64_t second_ns;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* guards what follows, and the notes of every entry */
	bool stop;
	uint64_t turns; /* exchanges of notes so far: it lives while this grows */
	bool source_lost; /* noted for the main thread */
	bool meter_lost;
	uint64_t learnt_idle_uw;
	struct scaph_publisher_traffic traffic_noted; /* by the main thread */
	bool traffic_news; /* that was not taken yet */
	struct scaph_budget budget_noted; /* as of its last change */
	uint8_t host_failed; /* scaph_publication_failed() */
	int wake_fd; /* eventfd: something was noted */
};

/* What a publisher is given; all stays the caller's and outlives it. */
struct scaph_publisher_parts {
	const struct scaph_publication_terms *terms;
	struct scaph_sampler *samplers;
	struct scaph_meter *meter;
	struct scaph_table *table;
	struct scaph_ledger *ledger;
	struct scaph_recorder *recorder;
	uint32_t cpus;
	uint64_t (*clock_ns)(void); /* NULL: CLOCK_MONOTONIC */
};

/* 0 or a negative errno after one line. */
int scaph_publisher_init(struct scaph_publisher *publisher,
			 const struct scaph_publisher_parts *parts);

/* Take the baseline, begin the host's epoch, start the thread. */
int scaph_publisher_start(struct scaph_publisher *publisher);

/* How often it has exchanged notes: at least every second while it lives. */
uint64_t scaph_publisher_turns(struct scaph_publisher *publisher);

/* Stop the thread, retire every publication with the reason that the producer ended. */
void scaph_publisher_stop(struct scaph_publisher *publisher);
void scaph_publisher_deinit(struct scaph_publisher *publisher);

#endif
