/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partner.c - two pinned threads
 */
#include "tools/bench/partner.h"

#include <err.h>
#include <sched.h>

static int core[2] = { -1, -1 };

void bench_take_core(void)
{
	cpu_set_t allowed, own;
	int found = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		err(1, "the allowed CPUs cannot be read");
	for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++) {
		if (CPU_ISSET(cpu, &allowed))
			core[found++] = cpu;
	}
	CPU_ZERO(&own);
	CPU_SET(core[0], &own);
	if (sched_setaffinity(0, sizeof(own), &own) < 0)
		err(1, "cannot run on CPU %d", core[0]);
}

bool bench_has_partner(void)
{
	return core[1] >= 0;
}

static void *partner_main(void *argument)
{
	struct bench_partner *partner = argument;

	atomic_store(&partner->playing, true);
	partner->play(partner, partner->context);
	return NULL;
}

void bench_partner_start(struct bench_partner *partner,
			 void (*play)(struct bench_partner *partner, void *context), void *context)
{
	pthread_attr_t attr;
	cpu_set_t other;
	int r;

	partner->play = play;
	partner->context = context;
	atomic_store(&partner->playing, false);
	atomic_store(&partner->stop, false);
	CPU_ZERO(&other);
	CPU_SET(core[1], &other);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(other), &other);
	r = pthread_create(&partner->thread, &attr, partner_main, partner);
	pthread_attr_destroy(&attr);
	if (r)
		errx(1, "no thread on CPU %d: error %d", core[1], r);
	while (!atomic_load(&partner->playing))
		sched_yield();
}

void bench_partner_stop(struct bench_partner *partner)
{
	atomic_store(&partner->stop, true);
	pthread_join(partner->thread, NULL);
}
