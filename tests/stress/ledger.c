/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.c - the writers' own account, in shared anonymous memory
 */
#include "tests/stress/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/stress/stage.h"

struct ledger *ledger_new(void)
{
	pthread_mutexattr_t attr;
	struct ledger *map = mmap(NULL, sizeof(struct ledger), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED) {
		perror("stress: ledger");
		exit(1);
	}
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&map->turn, &attr);
	return map;
}

struct ledger_epoch *ledger_begin(struct ledger *ledger, uint64_t epoch_id)
{
	uint32_t count = atomic_load(&ledger->count);
	struct ledger_epoch *epoch = &ledger->epoch[count];

	if (count == LEDGER_EPOCHS_MAX) {
		fprintf(stderr, "stress: more epochs than the ledger has lines\n");
		_Exit(1);
	}
	atomic_store(&epoch->published, 0);
	atomic_store(&epoch->closed, false);
	atomic_store(&epoch->epoch_id, epoch_id);
	atomic_store(&ledger->count, count + 1);
	return epoch;
}

struct ledger_epoch *ledger_find(struct ledger *ledger, uint64_t epoch_id)
{
	for (uint32_t i = atomic_load(&ledger->count); i > 0; i--) {
		if (atomic_load(&ledger->epoch[i - 1].epoch_id) == epoch_id)
			return &ledger->epoch[i - 1];
	}
	return NULL;
}

void ledger_disturb(struct ledger *ledger)
{
	pthread_mutex_lock(&ledger->turn);
	atomic_store(&ledger->disturbed_ns, stage_now_ns());
}

void ledger_leave(struct ledger *ledger, uint64_t within_ns)
{
	/* An adoption meanwhile is a disturbance of its own. */
	while (within_ns &&
	       atomic_load(&ledger->delivered_ns) <= atomic_load(&ledger->disturbed_ns)) {
		if (stage_now_ns() - atomic_load(&ledger->disturbed_ns) > within_ns) {
			atomic_fetch_add(&ledger->unrecovered, 1);
			break;
		}
		stage_sleep(NS_PER_MS);
	}
	pthread_mutex_unlock(&ledger->turn);
}
