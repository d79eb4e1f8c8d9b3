/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spans.c - ask scaph_energy_between() for many random spans of a live segment, each once its records are there
 *
 * Usage: spans PATH auto|coherent|snapshot SPANS SECONDS LEAST_MS MOST_MS [nosync]
 *
 * Spans end at a random instant of the run, have a length between the two, drawn so that each order of magnitude has its part, and
 * are asked for when that time has come; those that are answered with "not yet" wait until they are not. One line each on standard
 * output, for whoever knows the truth:
 *
 *   t0_ns t1_ns least best most bound clock_ns cost_ns
 *
 * and one at the end: answered not_yet too_old gap other.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "consumer/scaph.h"

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL
#define SYNC_NS 5000000000LL

struct wish {
	uint64_t t0_ns, t1_ns;
};

struct counts {
	unsigned int answered, not_yet, too_old, gap, other;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static int by_end(const void *a, const void *b)
{
	uint64_t x = ((const struct wish *)a)->t1_ns, y = ((const struct wish *)b)->t1_ns;

	return x < y ? -1 : x > y;
}

/* None begins before there was a record: the first seconds only have short ones. */
static void draw(struct wish *wish, unsigned int count, uint64_t from_ns, double seconds,
		 double least_ms, double most_ms)
{
	for (unsigned int i = 0; i < count; i++) {
		double ms = least_ms * pow(most_ms / least_ms, drand48());
		double end_ms = ms + (seconds * 1e3 - ms) * drand48();

		wish[i].t1_ns = from_ns + (uint64_t)(end_ms * (double)NS_PER_MS);
		wish[i].t0_ns = wish[i].t1_ns - (uint64_t)(ms * (double)NS_PER_MS);
	}
	qsort(wish, count, sizeof(*wish), by_end);
}

/* Whether there is nothing more to be asked of it. */
static int ask(struct scaph_reader *reader, const struct wish *wish, struct counts *counts)
{
	struct scaph_energy energy = { .size = sizeof(energy) };
	uint64_t before_ns = now_ns(), cost_ns;
	int r = scaph_energy_between(reader, wish->t0_ns, wish->t1_ns, &energy);

	cost_ns = now_ns() - before_ns;
	counts->answered += r == SCAPH_OK;
	counts->not_yet += r == SCAPH_NOT_YET;
	counts->too_old += r == SCAPH_TOO_OLD;
	counts->gap += r == SCAPH_GAP;
	counts->other += r < 0 || (r != SCAPH_OK && r < SCAPH_GAP) || r == SCAPH_REFUSED;
	if (r == SCAPH_OK)
		printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		       " %" PRIu64 " %" PRIu64 "\n",
		       wish->t0_ns, wish->t1_ns, energy.package_uj.least, energy.package_uj.best,
		       energy.package_uj.most, energy.bound_uj, energy.clock_ns, cost_ns);
	return r != SCAPH_NOT_YET;
}

/* Some records, and no more, are there before the first span begins. */
static int settle(struct scaph_reader *reader)
{
	struct scaph_record record;

	while (scaph_wait(reader, SYNC_NS, 0) == 0) {
		if (scaph_next(reader, &record) == SCAPH_OK && record.number >= 3)
			return SCAPH_OK;
	}
	return SCAPH_EMPTY;
}

static int mode_of(const char *word)
{
	return strcmp(word, "coherent") == 0   ? SCAPH_OPEN_COHERENT
	       : strcmp(word, "snapshot") == 0 ? SCAPH_OPEN_SNAPSHOT
					       : SCAPH_OPEN_AUTO;
}

int main(int argc, char **argv)
{
	struct scaph_options options = { .size = sizeof(options) };
	unsigned int count, next = 0;
	struct scaph_reader *reader;
	struct counts counts = {};
	struct wish *wish;
	uint64_t end_ns;
	int r;

	if (argc < 7)
		return 2;
	options.mode = mode_of(argv[2]);
	count = (unsigned int)atoi(argv[3]);
	wish = calloc(count, sizeof(*wish));
	r = wish ? scaph_open(argv[1], &options, &reader) : -1;
	if (r < 0) {
		fprintf(stderr, "spans: %s: %s\n", argv[1], strerror(-r));
		return 1;
	}
	r = settle(reader);
	if (r == SCAPH_OK && argc < 8)
		r = scaph_clock_sync(reader, SYNC_NS);
	if (r != SCAPH_OK)
		fprintf(stderr, "spans: no sync: %d %s\n", r, scaph_reason(reader));
	srand48(getpid());
	draw(wish, count, now_ns(), atof(argv[4]), atof(argv[5]), atof(argv[6]));
	end_ns = wish[count - 1].t1_ns + 2 * NS_PER_S;
	while (next < count && now_ns() < end_ns) {
		if (now_ns() < wish[next].t1_ns)
			usleep(500);
		else if (ask(reader, &wish[next], &counts))
			next++;
		else
			usleep(1000);
	}
	printf("end %u %u %u %u %u %u\n", counts.answered, counts.not_yet, counts.too_old,
	       counts.gap, counts.other, count - next);
	scaph_close(reader);
	free(wish);
	return 0;
}
