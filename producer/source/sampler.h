/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.h - one package's raw counters as energy, and the thread that reads them between windows
 *
 * Counters that wrap want more reads than there may be windows; the publisher takes its own at each
 * window's end. Both go through one mutex, which is never held over a sleep, so that it costs no
 * system call but when they collide. The thread runs on a CPU of the package, where a read wakes no
 * other package.
 *
 * A package that cannot be read for a moment has lost nothing: its counters go on, and the next
 * reading takes them up where they were. After a gap in which one can have wrapped that is the least
 * they have moved, and whoever reads must give it to nobody.
 *
 * How often it reads may be changed while it runs, between what was asked for and what is needed that
 * no counter wraps unseen. Where windows' ends are enough for that it may rest, without waking at all.
 */
#ifndef SCAPH_PRODUCER_SAMPLER_H
#define SCAPH_PRODUCER_SAMPLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "producer/source/counter.h"
#include "producer/source/source.h"

/* What the sampler knows at one instant. */
struct scaph_energy {
	unsigned __int128 zone_units[SCAPH_ZONES]; /* cumulative since the first reading */
	uint64_t raw[SCAPH_ZONES]; /* as read */
	uint32_t resets; /* times that a counter began anew */
	uint64_t reads; /* that succeeded */
	bool lost; /* the source ended or cannot be read: figures stand still */
	bool ended; /* and will not be there again */
};

struct scaph_sampler {
	struct scaph_source *source;
	uint32_t package;
	int cpu; /* where the thread runs; -1: anywhere */
	uint64_t asked_ns; /* the period it was asked for, or needs; 0: no thread */
	uint64_t need_ns; /* the longest that will do; 0: once a window is enough */
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* guards what follows, and the reading of the package */
	pthread_cond_t changed; /* period_ns or stop */
	uint64_t period_ns; /* as of now; 0: the thread rests */
	uint64_t read_ns; /* of the last reading */
	uint64_t good_ns; /* of the last that succeeded */
	struct scaph_counter counter[SCAPH_ZONES];
	struct scaph_energy energy;
	bool stop;
};

/*
 * @source stays the caller's. @cpu: where its thread is to run, or -1. @hz: what is asked for beyond
 * what the source needs, or 0. @window_ns: a thread is for more reads than that.
 */
void scaph_sampler_init(struct scaph_sampler *sampler, struct scaph_source *source,
			uint32_t package, int cpu, uint32_t hz, uint64_t window_ns);

/**
 * scaph_sampler_gap_max_ns() - the longest stretch whose energy can be known
 * @wrap_ns: the shortest time in which a counter wraps; 0: none does
 *
 * Return:   a quarter of that, at most 15 s.
 */
uint64_t scaph_sampler_gap_max_ns(uint64_t wrap_ns);

/* Read once in @period_ns from now on, or, where it needs no thread, rest with 0. */
void scaph_sampler_set_period(struct scaph_sampler *sampler, uint64_t period_ns);

/* Start the thread if there is to be one: 0 or a negative errno. */
int scaph_sampler_start(struct scaph_sampler *sampler);
void scaph_sampler_stop(struct scaph_sampler *sampler);

/* Read the package as of now_ns (CLOCK_MONOTONIC). Any thread. */
void scaph_sampler_read(struct scaph_sampler *sampler, uint64_t now_ns,
			struct scaph_energy *ret_energy);

/* The package zone's raw counter, of which nothing is counted; false: it cannot be read. Any thread. */
bool scaph_sampler_peek(struct scaph_sampler *sampler, uint64_t *ret_raw);

#endif
