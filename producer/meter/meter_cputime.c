/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter_cputime.c - process CPU clocks and control groups' counters, and the host's busy time of the same sweep
 *
 * Needs no privilege. Both move in kernel ticks, and not in step: busy time is kept cumulative and
 * never below the sum of the domains'; what it runs behind or ahead in one window it makes good in
 * the next, up to what ticks can explain. Over several packages a process's time is divided by where its threads last ran.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/process/clock.h"
#include "producer/machine/hoststat.h"
#include "producer/meter/cgroup_time.h"
#include "producer/meter/meter.h"
#include "producer/process/tick.h"

#define PLACEMENT_NS SCAPH_NS_PER_S

/*
 * /proc/stat is late by a tick a CPU, and by as much as 10 ms in each of its columns, which it rounds
 * down. What it is behind of more than that it never saw: a process that runs between the ticks alone.
 */
#define LATE_NS (100 * SCAPH_NS_PER_MS)

struct cputime {
	struct scaph_meter meter;
	const char *procfs;
	const struct scaph_topology *topology;
	struct scaph_hoststat stat;
	uint64_t given_ns[SCAPH_PACKAGES_MAX]; /* busy time handed out so far */
};

static int cputime_open(const struct scaph_config *config, const struct scaph_topology *topology,
			struct scaph_meter **ret_meter, char ret_why[SCAPH_METER_WHY_BYTES])
{
	struct cputime *cputime = calloc(1, sizeof(*cputime));
	int r = -ENOMEM;

	if (cputime)
		r = scaph_hoststat_open(config->procfs, topology, &cputime->stat);
	if (r) {
		snprintf(ret_why, SCAPH_METER_WHY_BYTES, "%s/stat: %s; mount proc there",
			 config->procfs, strerror(-r));
		free(cputime);
		return r;
	}
	cputime->procfs = config->procfs;
	cputime->topology = topology;
	cputime->meter.ops = &scaph_meter_cputime;
	cputime->meter.coarse = topology->packages > 1;
	*ret_meter = &cputime->meter;
	return 0;
}

static int process_ns(const struct scaph_reading *reading, uint64_t *ret_ns)
{
	struct timespec ts;

	if (clock_gettime(reading->cpu_clock, &ts) < 0)
		return -errno;
	*ret_ns = (uint64_t)ts.tv_sec * SCAPH_NS_PER_S + (uint64_t)ts.tv_nsec;
	return 0;
}

/* CPU time since the sweep before; false: there is none. */
static bool read_clock(struct scaph_reading *reading)
{
	uint64_t raw_ns;
	int r;

	reading->cpu_ns = 0;
	memset(reading->package_ns, 0, sizeof(reading->package_ns));
	if (reading->gone)
		return false;
	r = reading->pid ? process_ns(reading, &raw_ns)
			 : scaph_cgroup_time_ns(reading->usage_fd, reading->usage_in_stat, &raw_ns);
	if (r) {
		reading->gone = true;
		return false;
	}
	if (raw_ns < reading->raw_ns) {
		/* A process's clock never steps back: this is another one under the same PID. */
		reading->gone = true;
		return false;
	}
	if (reading->begun)
		reading->cpu_ns = raw_ns - reading->raw_ns;
	reading->begun = true;
	reading->raw_ns = raw_ns;
	return true;
}

/* By package, which needs a look at the threads where there are several. */
static void place(const struct cputime *cputime, struct scaph_reading *reading, uint64_t now_ns)
{
	uint32_t packages = cputime->topology->packages;

	if (packages > 1 && now_ns - reading->placement.looked_ns >= PLACEMENT_NS)
		scaph_placement_look(&reading->placement, cputime->topology, cputime->procfs,
				     reading->pid, now_ns);
	scaph_placement_divide(&reading->placement, packages, reading->cpu_ns, reading->package_ns);
}

/*
 * Busy time that was handed out and never came is not waited for: it would be taken from what runs
 * later, for hours, and its energy given to the domains.
 */
static void forgive(uint64_t *given_ns, uint64_t busy_ns, uint64_t late_ns)
{
	if (*given_ns > busy_ns + late_ns)
		*given_ns = busy_ns + late_ns;
}

static int cputime_sweep(struct scaph_meter *meter, struct scaph_reading *const *readings,
			 uint32_t count, uint64_t ret_busy_ns[SCAPH_PACKAGES_MAX])
{
	struct cputime *cputime = (struct cputime *)meter;
	uint64_t busy_ns[SCAPH_PACKAGES_MAX], sum_ns[SCAPH_PACKAGES_MAX] = {};
	uint64_t now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	int r;

	/* First, so that a sweep that fails has taken nothing: the next one covers its time too. */
	r = scaph_hoststat_busy_ns(&cputime->stat, busy_ns);
	if (r)
		return r;
	for (uint32_t i = 0; i < count; i++) {
		if (!read_clock(readings[i]))
			continue;
		place(cputime, readings[i], now_ns);
		for (uint32_t p = 0; p < cputime->topology->packages; p++)
			sum_ns[p] += readings[i]->package_ns[p];
	}
	for (uint32_t p = 0; p < cputime->topology->packages; p++) {
		uint64_t due_ns =
			busy_ns[p] > cputime->given_ns[p] ? busy_ns[p] - cputime->given_ns[p] : 0;

		ret_busy_ns[p] = due_ns > sum_ns[p] ? due_ns : sum_ns[p];
		cputime->given_ns[p] += ret_busy_ns[p];
		forgive(&cputime->given_ns[p], busy_ns[p],
			LATE_NS * cputime->topology->package[p].cpus);
	}
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
	.about = "process CPU clocks, in kernel ticks",
	.id = SCAPH_METER_CPUTIME,
	.least_window_ns = scaph_tick_window_ns,
	.open = cputime_open,
	.sweep = cputime_sweep,
	.close = cputime_close,
};
