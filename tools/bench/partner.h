/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partner.h - the thread on the other core
 *
 * Measurements run on the first allowed CPU; what runs beside them runs on the second. With one CPU there is no partner, and
 * what needs one says so instead of giving a figure.
 */
#ifndef SCAPH_BENCH_PARTNER_H
#define SCAPH_BENCH_PARTNER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <pthread.h>

struct bench_partner {
	void (*play)(struct bench_partner *partner, void *context);
	void *context;
	pthread_t thread;
	_Atomic bool playing; /* set by the partner when it begins */
	_Atomic bool stop; /* play() returns soon after */
};

/* Pin this thread to the first allowed CPU. */
void bench_take_core(void);

/* Whether there is a second one. */
bool bench_has_partner(void);

/* Returns once play() runs on the second CPU; ends the program if that cannot be. */
void bench_partner_start(struct bench_partner *partner,
			 void (*play)(struct bench_partner *partner, void *context), void *context);
void bench_partner_stop(struct bench_partner *partner);

static inline bool bench_partner_told_to_stop(struct bench_partner *partner)
{
	return atomic_load_explicit(&partner->stop, memory_order_relaxed);
}

#endif
