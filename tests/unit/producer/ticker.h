/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticker.h - a thread that lets the counters of a machine of files count, a step a millisecond
 */
#ifndef TESTS_UNIT_PRODUCER_TICKER_H
#define TESTS_UNIT_PRODUCER_TICKER_H

#include <pthread.h>

#include "tree.h"

#define TICKER_COUNTERS_MAX 16

struct ticker {
	pthread_t thread;
	pthread_mutex_t lock;
	bool stop;
	unsigned int count;
	struct {
		char path[2][128]; /* an empty second one: there is one file only */
		bool text; /* decimal digits; else 8 bytes at the register's place */
		uint32_t msr;
		uint64_t value, step;
	} counter[TICKER_COUNTERS_MAX];
};

void ticker_init(struct ticker *ticker);

/* A register that two CPUs of a package show; its upper half is rubbish, as in life. */
void ticker_msr(struct ticker *ticker, struct tree *tree, const unsigned int cpu[2], uint32_t msr,
		uint64_t value, uint64_t step);
/* An attribute. */
void ticker_text(struct ticker *ticker, struct tree *tree, const char *path, uint64_t value,
		 uint64_t step);

void ticker_start(struct ticker *ticker);
void ticker_stop(struct ticker *ticker);

#endif
