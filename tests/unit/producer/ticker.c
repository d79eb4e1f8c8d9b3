/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticker.c - counters in files that move
 */
#include "ticker.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer/process/clock.h"

#define RUBBISH 0xfeed000000000000ULL

void ticker_init(struct ticker *ticker)
{
	*ticker = (struct ticker){ .lock = PTHREAD_MUTEX_INITIALIZER };
}

/* A file that is gone, or was cut, stays so: its CPU is offline, its zone taken away. */
static void write_one(struct ticker *ticker, unsigned int at, const char *path)
{
	uint64_t value = ticker->counter[at].value | RUBBISH;
	char text[32];
	int fd;

	if (!*path)
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (lseek(fd, 0, SEEK_END) == 0) {
		close(fd);
		return;
	}
	if (ticker->counter[at].text) {
		snprintf(text, sizeof(text), "%020" PRIu64 "\n", ticker->counter[at].value);
		assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
	} else {
		assert_int_equal(pwrite(fd, &value, sizeof(value), (off_t)ticker->counter[at].msr),
				 sizeof(value));
	}
	close(fd);
}

static void write_all(struct ticker *ticker)
{
	for (unsigned int i = 0; i < ticker->count; i++) {
		write_one(ticker, i, ticker->counter[i].path[0]);
		write_one(ticker, i, ticker->counter[i].path[1]);
		ticker->counter[i].value += ticker->counter[i].step;
	}
}

void ticker_msr(struct ticker *ticker, struct tree *tree, const unsigned int cpu[2], uint32_t msr,
		uint64_t value, uint64_t step)
{
	unsigned int at = ticker->count++;

	assert_true(at < TICKER_COUNTERS_MAX);
	ticker->counter[at].msr = msr;
	ticker->counter[at].value = value;
	ticker->counter[at].step = step;
	for (int i = 0; i < 2; i++) {
		tree_msr(tree, cpu[i], msr, value | RUBBISH);
		snprintf(ticker->counter[at].path[i], sizeof(ticker->counter[at].path[i]),
			 "%s/%u/msr", tree->msr, cpu[i]);
	}
}

void ticker_text(struct ticker *ticker, struct tree *tree, const char *path, uint64_t value,
		 uint64_t step)
{
	unsigned int at = ticker->count++;

	assert_true(at < TICKER_COUNTERS_MAX);
	ticker->counter[at].text = true;
	ticker->counter[at].value = value;
	ticker->counter[at].step = step;
	tree_put(tree, path, "%020" PRIu64 "\n", value);
	snprintf(ticker->counter[at].path[0], sizeof(ticker->counter[at].path[0]), "%s/%s",
		 tree->root, path);
}

static void *run(void *argument)
{
	struct ticker *ticker = argument;
	bool stop = false;

	while (!stop) {
		pthread_mutex_lock(&ticker->lock);
		write_all(ticker);
		stop = ticker->stop;
		pthread_mutex_unlock(&ticker->lock);
		scaph_clock_sleep_until(scaph_clock_ns(CLOCK_MONOTONIC) + SCAPH_NS_PER_MS);
	}
	return NULL;
}

void ticker_start(struct ticker *ticker)
{
	ticker->stop = false;
	assert_int_equal(pthread_create(&ticker->thread, NULL, run, ticker), 0);
}

void ticker_stop(struct ticker *ticker)
{
	pthread_mutex_lock(&ticker->lock);
	ticker->stop = true;
	pthread_mutex_unlock(&ticker->lock);
	pthread_join(ticker->thread, NULL);
}
