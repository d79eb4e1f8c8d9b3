/* SPDX-License-Identifier: Apache-2.0 */
/*
 * section.c - what a section of this program took: the machine's energy between two readings of the clock
 *
 * Usage: section PATH MILLISECONDS
 */
#include <inttypes.h>
#include <scaph.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S 1000000000

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void work(uint64_t ns)
{
	uint64_t end_ns = now_ns() + ns;

	while (now_ns() < end_ns)
		;
}

int main(int argc, char **argv)
{
	struct scaph_energy energy = { .size = sizeof(energy) };
	struct scaph_clock clock = { .size = sizeof(clock) };
	struct scaph_reader *reader;
	uint64_t from_ns, to_ns;
	int r;

	if (argc != 3 || scaph_open(argv[1], NULL, &reader) < 0)
		return 1;
	/* Once at the start, and again each minute: what an instant is on the host's clock. It takes about a second. */
	if (scaph_clock_sync(reader, 3LL * NS_PER_S) == SCAPH_OK &&
	    scaph_clock_read(reader, &clock) == SCAPH_OK)
		printf("the host's clock is known to +-%.3f ms\n", (double)clock.error_ns / 1e6);
	from_ns = now_ns();
	work((uint64_t)atoi(argv[2]) * 1000000);
	to_ns = now_ns();
	/* The last record of that time is not there yet. */
	r = scaph_energy_between(reader, from_ns, to_ns, &energy);
	if (r == SCAPH_NOT_YET)
		r = scaph_energy_await(reader, from_ns, to_ns, 2LL * NS_PER_S, &energy);
	if (r == SCAPH_OK && energy.flags & SCAPH_HAS_PACKAGE)
		printf("%.6f J, certainly %.6f to %.6f J, in %.3f s\n",
		       (double)energy.package_uj.best / 1e6, (double)energy.package_uj.least / 1e6,
		       (double)energy.package_uj.most / 1e6, (double)energy.duration_ns / 1e9);
	else
		fprintf(stderr, "section: no figure (%d): %s\n", r, scaph_reason(reader));
	scaph_close(reader);
	return r != SCAPH_OK;
}
