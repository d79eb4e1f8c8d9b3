/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter_cputime.c - process CPU clocks, and the host's busy time of the same sweep
 *
 * Needs no privilege. Both move in kernel ticks, and not in step: busy time is kept cumulative and
 * never below the sum of the domains'; what it runs behind or ahead in one window it makes good in
 * the next.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "producer/clock.h"
#include "producer/hoststat.h"
#include "producer/log.h"
#include "producer/meter.h"
#include "producer/tick.h"

struct cputime {
	struct scaph_meter meter;
	struct scaph_hoststat stat;
	bool begun;
	uint64_t start_busy_ns;
	uint64_t given_ns; /* busy time handed out so far */
};

static int cputime_open(const struct scaph_config *config, struct scaph_meter **ret_meter)
{
	struct cputime *cputime = calloc(1, sizeof(*cputime));
	int r;

	if (!cputime)
		return -ENOMEM;
	r = scaph_hoststat_open(&cputime->stat);
	if (r) {
		scaph_error("/proc/stat: %s; the meter cputime needs it", strerror(-r));
		free(cputime);
		return r;
	}
	cputime->meter.ops = &scaph_meter_cputime;
	*ret_meter = &cputime->meter;
	return 0;
}

static uint64_t read_domain(struct scaph_reading *reading, bool begun)
{
	struct timespec ts;
	uint64_t raw_ns;

	reading->cpu_ns = 0;
	if (reading->gone)
		return 0;
	if (clock_gettime(reading->domain->cpu_clock, &ts) < 0) {
		reading->gone = true;
		return 0;
	}
	raw_ns = (uint64_t)ts.tv_sec * SCAPH_NS_PER_S + (uint64_t)ts.tv_nsec;
	if (raw_ns < reading->raw_ns) {
		/* A process's clock never steps back: this is another one under the same PID. */
		reading->gone = true;
		return 0;
	}
	if (begun)
		reading->cpu_ns = raw_ns - reading->raw_ns;
	reading->raw_ns = raw_ns;
	return reading->cpu_ns;
}

static int cputime_sweep(struct scaph_meter *meter, struct scaph_reading *readings, uint32_t count,
			 uint64_t *ret_busy_ns)
{
	struct cputime *cputime = (struct cputime *)meter;
	uint64_t busy_ns, sum_ns = 0, due_ns;
	int r;

	/* First, so that a sweep that fails has taken nothing: the next one covers its time too. */
	r = scaph_hoststat_busy_ns(&cputime->stat, &busy_ns);
	if (r)
		return r;
	for (uint32_t i = 0; i < count; i++)
		sum_ns += read_domain(&readings[i], cputime->begun);
	if (!cputime->begun) {
		cputime->begun = true;
		cputime->start_busy_ns = busy_ns;
		*ret_busy_ns = 0;
		return 0;
	}
	due_ns = busy_ns - cputime->start_busy_ns;
	due_ns = busy_ns > cputime->start_busy_ns && due_ns > cputime->given_ns
			 ? due_ns - cputime->given_ns
			 : 0;
	if (due_ns < sum_ns)
		due_ns = sum_ns;
	cputime->given_ns += due_ns;
	*ret_busy_ns = due_ns;
	return 0;
}

static void cputime_close(struct scaph_meter *meter)
{
	struct cputime *cputime = (struct cputime *)meter;

	scaph_hoststat_close(&cputime->stat);
	free(cputime);
}

const struct scaph_meter_ops scaph_meter_cputime = {
	.name = "cputime",
	.id = SCAPH_METER_CPUTIME,
	.least_window_ns = scaph_tick_window_ns,
	.open = cputime_open,
	.sweep = cputime_sweep,
	.close = cputime_close,
};
