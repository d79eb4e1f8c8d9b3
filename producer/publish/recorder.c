/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorder.c - lines of a trace
 */
#include "producer/publish/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "producer/process/clock.h"
#include "producer/publish/division.h"
#include "producer/process/log.h"
#include "producer/publish/publisher.h"
#include "producer/process/thread.h"
#include "proto/names.h"

#define BUFFER_BYTES (4U << 20)
#define WRITE_EVERY_NS (100 * SCAPH_NS_PER_MS)

struct recorder_text {
	char *bytes;
	size_t used;
};

struct scaph_recorder {
	int fd;
	off_t whole; /* bytes of the file up to its last line's end */
	const struct scaph_source *source;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* guards what follows */
	struct recorder_text filling, writing;
	bool ended; /* early: the disk is full or too slow */
	bool stop;
};

/* How much of a text is whole lines. */
static size_t whole_lines(const char *bytes, size_t used)
{
	const char *end = memrchr(bytes, '\n', used);

	return end ? (size_t)(end - bytes) + 1 : 0;
}

__attribute__((format(printf, 2, 3))) static void put(struct scaph_recorder *recorder,
						      const char *format, ...)
{
	struct recorder_text *text = &recorder->filling;
	va_list args;
	int length;

	if (recorder->ended)
		return;
	va_start(args, format);
	length = vsnprintf(text->bytes + text->used, BUFFER_BYTES - text->used, format, args);
	va_end(args);
	if (length >= 0 && (size_t)length < BUFFER_BYTES - text->used) {
		text->used += (size_t)length;
		return;
	}
	/* Half a line would be read as other numbers than were meant. */
	recorder->ended = true;
	text->used = whole_lines(text->bytes, text->used);
}

/* Each counter of the source in one order: by package, then zone. */
static void each_counter(struct scaph_recorder *recorder,
			 void (*one)(struct scaph_recorder *recorder, uint32_t package, int zone,
				     const void *context),
			 const void *context)
{
	for (uint32_t p = 0; p < recorder->source->packages; p++) {
		for (int zone = 0; zone < SCAPH_ZONES; zone++) {
			if (recorder->source->package[p].zones & 1U << zone)
				one(recorder, p, zone, context);
		}
	}
}

static void put_name(struct scaph_recorder *recorder, uint32_t package, int zone,
		     const void *context)
{
	put(recorder, " %s", scaph_source_zone_word(zone));
	if (package)
		put(recorder, "@%" PRIu32, package);
}

static void put_unit(struct scaph_recorder *recorder, uint32_t package, int zone,
		     const void *context)
{
	const struct scaph_source_counter *counter =
		&recorder->source->package[package].counter[zone];

	put(recorder, "unit");
	put_name(recorder, package, zone, NULL);
	put(recorder, " %" PRIu64 "\n", counter->step_units);
	if (!counter->range)
		return;
	put(recorder, "range");
	put_name(recorder, package, zone, NULL);
	put(recorder, " %" PRIu64 "\n", counter->range);
}

static void put_raw(struct scaph_recorder *recorder, uint32_t package, int zone,
		    const void *context)
{
	const struct scaph_energy *energy = context;

	put(recorder, " %" PRIu64, energy[package].raw[zone]);
}

int scaph_recorder_open(const char *path, const struct scaph_source *source,
			struct scaph_recorder **ret_recorder)
{
	struct scaph_recorder *recorder = calloc(1, sizeof(*recorder));

	if (!recorder)
		return -ENOMEM;
	recorder->source = source;
	scaph_thread_lock_init(&recorder->lock);
	recorder->filling.bytes = malloc(BUFFER_BYTES);
	recorder->writing.bytes = malloc(BUFFER_BYTES);
	/* Never over an older one: measurements are not to be had twice. */
	recorder->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (recorder->fd < 0 || !recorder->filling.bytes || !recorder->writing.bytes) {
		int r = recorder->fd < 0 ? -errno : -ENOMEM;

		scaph_error("--record %s: %s; give it a file that does not exist yet", path,
			    strerror(-r));
		scaph_recorder_close(recorder);
		return r;
	}
	put(recorder, "scaphring-trace 1\nzones");
	each_counter(recorder, put_name, NULL);
	put(recorder, "\n");
	each_counter(recorder, put_unit, NULL);
	put(recorder, "quality %s\n", source->estimated ? "estimated" : "measured");
	if (source->idle_known)
		put(recorder, "idle_watts %" PRIu64 ".%06" PRIu64 "\n", source->idle_uw / 1000000,
		    source->idle_uw % 1000000);
	*ret_recorder = recorder;
	return 0;
}

/* The file ends with the last line that was taken whole, unless even that cannot be had. */
static void cut_short(const struct scaph_recorder *recorder)
{
	if (ftruncate(recorder->fd, recorder->whole) < 0)
		return; /* its reader refuses a line without an end */
}

/* False: the disk refuses. */
static bool write_all(struct scaph_recorder *recorder, const struct recorder_text *text)
{
	off_t begin = recorder->whole;

	for (size_t at = 0; at < text->used;) {
		ssize_t wrote = write(recorder->fd, text->bytes + at, text->used - at);

		if (wrote < 0 && errno != EINTR) {
			cut_short(recorder);
			return false;
		}
		at += wrote > 0 ? (size_t)wrote : 0;
		recorder->whole = begin + (off_t)whole_lines(text->bytes, at);
	}
	return true;
}

/* Write out what has come together; false: that was the last. */
static bool drain(struct scaph_recorder *recorder)
{
	struct recorder_text full;
	bool stop, good;

	pthread_mutex_lock(&recorder->lock);
	full = recorder->filling;
	recorder->filling = recorder->writing;
	recorder->filling.used = 0;
	recorder->writing = full;
	stop = recorder->stop;
	pthread_mutex_unlock(&recorder->lock);
	good = write_all(recorder, &recorder->writing);
	pthread_mutex_lock(&recorder->lock);
	recorder->ended |= !good;
	pthread_mutex_unlock(&recorder->lock);
	return good && !stop;
}

static void *run(void *argument)
{
	struct scaph_recorder *recorder = argument;

	while (drain(recorder))
		scaph_clock_sleep_until(scaph_clock_ns(CLOCK_MONOTONIC) + WRITE_EVERY_NS);
	return NULL;
}

int scaph_recorder_start(struct scaph_recorder *recorder)
{
	int r = scaph_thread_start(&recorder->thread, "scaph-recorder", run, recorder);

	recorder->running = r == 0;
	return r;
}

bool scaph_recorder_close(struct scaph_recorder *recorder)
{
	bool whole;

	if (!recorder)
		return true;
	if (recorder->running) {
		pthread_mutex_lock(&recorder->lock);
		recorder->stop = true;
		pthread_mutex_unlock(&recorder->lock);
		pthread_join(recorder->thread, NULL);
	}
	whole = !recorder->ended;
	if (recorder->fd >= 0)
		close(recorder->fd);
	free(recorder->filling.bytes);
	free(recorder->writing.bytes);
	free(recorder);
	return whole;
}

void scaph_recorder_numbers(struct scaph_recorder *recorder, uint64_t mono_ns,
			    const struct scaph_energy *energy)
{
	pthread_mutex_lock(&recorder->lock);
	put(recorder, "%" PRIu64, mono_ns);
	each_counter(recorder, put_raw, energy);
	put(recorder, "\n");
	pthread_mutex_unlock(&recorder->lock);
}

/* One number a package: times, or bytes. */
static void put_each(struct scaph_recorder *recorder, const uint64_t *numbers)
{
	for (uint32_t p = 0; p < recorder->source->packages; p++)
		put(recorder, " %" PRIu64, numbers[p]);
	put(recorder, "\n");
}

void scaph_recorder_window(struct scaph_recorder *recorder, const struct scaph_publisher *publisher,
			   const struct scaph_window *window)
{
	char uuid[SCAPH_UUID_TEXT_BYTES];

	scaph_recorder_numbers(recorder, publisher->last_ns, publisher->last);
	pthread_mutex_lock(&recorder->lock);
	put(recorder, "window %" PRIu64, publisher->last_ns);
	put_each(recorder, window->busy_ns);
	if (!window->divided)
		put(recorder, "# not divided\n");
	if (window->by_traffic) {
		put(recorder, "traffic");
		put_each(recorder, publisher->traffic.whole);
	}
	for (uint32_t i = 0; i < publisher->count; i++) {
		const struct scaph_entry *entry = publisher->live[i];

		if (entry->reading.gone)
			continue;
		scaph_uuid_format(entry->domain.uuid, uuid);
		put(recorder, "cpu %s %" PRIu32, uuid, entry->domain.vcpus);
		put_each(recorder, entry->reading.package_ns);
		if (window->by_traffic) {
			put(recorder, "bytes %s", uuid);
			put_each(recorder, entry->traffic.bytes);
		}
	}
	put(recorder, "self");
	put_each(recorder, publisher->own.package_ns);
	pthread_mutex_unlock(&recorder->lock);
}
