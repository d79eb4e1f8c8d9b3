/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instant.c - readings, again where one took too long
 */
#include "producer/publish/instant.h"

#include <string.h>

#include "producer/process/clock.h"

/* A reading may take this long, or a part of the window if that is more. */
#define READING_MAX_NS (5 * SCAPH_NS_PER_MS)
#define READING_PARTS 4
#define READINGS_MAX 3

static uint64_t reading_max_ns(const struct scaph_publisher *pub)
{
	uint64_t part_ns = pub->terms->window_ns / READING_PARTS;

	return part_ns > READING_MAX_NS ? part_ns : READING_MAX_NS;
}

static void read_all(struct scaph_publisher *pub, struct scaph_instant *instant)
{
	for (uint32_t p = 0; p < pub->packages; p++)
		scaph_sampler_read(&pub->samplers[p], instant->end_ns, &instant->energy[p]);
}

/*
 * A package that cannot be read for a moment: the window stays open until it can be, and is then
 * divided whole. Not if it has ended, nor for longer than a counter can be trusted to have run on,
 * nor before the first.
 */
static bool may_pass(const struct scaph_publisher *pub, const struct scaph_instant *instant)
{
	bool lost = false, ended = false;

	for (uint32_t p = 0; p < pub->packages; p++) {
		lost |= instant->energy[p].lost;
		ended |= instant->energy[p].ended;
	}
	return lost && !ended && !pub->lost && pub->last_ns &&
	       instant->end_ns - pub->last_ns <= pub->gap_max_ns;
}

static int sweep(struct scaph_publisher *pub, uint64_t busy_ns[SCAPH_PACKAGES_MAX])
{
	return pub->meter->ops->sweep(pub->meter, pub->readings, pub->count + 1, busy_ns);
}

static void keep(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i <= pub->count; i++) {
		pub->kept[i].cpu_ns = pub->readings[i]->cpu_ns;
		memcpy(pub->kept[i].package_ns, pub->readings[i]->package_ns,
		       sizeof(pub->kept[i].package_ns));
	}
}

static void add_kept(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i <= pub->count; i++) {
		pub->readings[i]->cpu_ns += pub->kept[i].cpu_ns;
		for (uint32_t p = 0; p < pub->packages; p++)
			pub->readings[i]->package_ns[p] += pub->kept[i].package_ns[p];
	}
}

/* One more sweep on top of that which came before; if it fails that one stands. */
static void sweep_again(struct scaph_publisher *pub, struct scaph_instant *instant)
{
	uint64_t busy_ns[SCAPH_PACKAGES_MAX];

	keep(pub);
	if (sweep(pub, busy_ns))
		return;
	add_kept(pub);
	for (uint32_t p = 0; p < pub->packages; p++)
		instant->busy_ns[p] += busy_ns[p];
}

int scaph_instant_take(struct scaph_publisher *pub, uint64_t end_ns, struct scaph_instant *ret)
{
	uint64_t most_ns = reading_max_ns(pub), now_ns = pub->clock_ns();
	int r;

	ret->end_ns = now_ns > end_ns + most_ns ? now_ns : end_ns;
	read_all(pub, ret);
	if (may_pass(pub, ret))
		return SCAPH_INSTANT_HELD;
	r = sweep(pub, ret->busy_ns);
	if (r)
		return r;
	now_ns = pub->clock_ns();
	for (int i = 1; i < READINGS_MAX && now_ns > ret->end_ns + most_ns; i++) {
		ret->end_ns = now_ns;
		read_all(pub, ret);
		sweep_again(pub, ret);
		now_ns = pub->clock_ns();
	}
	ret->torn = now_ns > ret->end_ns + most_ns;
	return 0;
}
