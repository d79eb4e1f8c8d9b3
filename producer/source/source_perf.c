/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_perf.c - the kernel's power PMU: one group of events a package, read by one call
 *
 * The kernel keeps 64-bit counts, so nothing wraps here, and moves a group on to another CPU of its
 * package if the one that counts goes offline. Counts begin at 0 when the events are opened.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "producer/source/msr.h"
#include "producer/source/power_pmu.h"
#include "producer/source/supported.h"

/* Events of one package in the order in which a read gives them; the first leads. */
struct perf_group {
	uint32_t count;
	int fd[SCAPH_ZONES];
	int zone[SCAPH_ZONES];
};

struct perf {
	struct scaph_source source;
	struct perf_group group[SCAPH_PACKAGES_MAX];
};

static int open_event(const struct scaph_power_pmu *pmu, int zone, int cpu, int leader)
{
	struct perf_event_attr attr = {
		.type = pmu->type,
		.size = sizeof(attr),
		.config = pmu->config[zone],
		.read_format = PERF_FORMAT_GROUP,
	};
	long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, leader, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

static int perf_read(struct scaph_source *source, uint32_t package, uint64_t now_ns,
		     uint64_t raw[SCAPH_ZONES])
{
	const struct perf_group *group = &((struct perf *)source)->group[package];
	struct {
		uint64_t count;
		uint64_t value[SCAPH_ZONES];
	} got;
	ssize_t bytes = read(group->fd[0], &got, sizeof(got));

	(void)now_ns;
	if (bytes < 0)
		return -errno;
	/* Nothing is given of events that could not be kept on a CPU: the package is offline. */
	if ((size_t)bytes != (1 + group->count) * sizeof(uint64_t) || got.count != group->count)
		return -ENODATA;
	for (uint32_t i = 0; i < group->count; i++)
		raw[group->zone[i]] = got.value[i];
	return 0;
}

static int perf_peek(struct scaph_source *source, uint32_t package, uint64_t *ret_raw)
{
	uint64_t raw[SCAPH_ZONES];
	int r = perf_read(source, package, 0, raw);

	if (r == 0)
		*ret_raw = raw[SCAPH_ZONE_AT_PACKAGE];
	return r;
}

static void refuse_event(int cpu, int r, char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	if (r == -EACCES || r == -EPERM)
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "perf_event_open: %s: it needs CAP_PERFMON, or sysctl "
			 "kernel.perf_event_paranoid=0",
			 strerror(-r));
	else if (r == -EMFILE || r == -ENFILE)
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "perf_event_open: %s: allow more (LimitNOFILE=, ulimit -n)", strerror(-r));
	else
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES,
			 "perf_event_open: the kernel refuses energy-pkg on CPU %d: %s", cpu,
			 strerror(-r));
}

static int open_group(struct perf *perf, const struct scaph_power_pmu *pmu, uint32_t at,
		      char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct scaph_source_package *package = &perf->source.package[at];
	struct perf_group *group = &perf->group[at];

	for (int zone = 0; zone < SCAPH_ZONES; zone++) {
		int fd;

		if (!(pmu->zones & 1U << zone) || (zone == SCAPH_ZONE_AT_PSYS && at))
			continue;
		fd = open_event(pmu, zone, pmu->cpu[at], group->count ? group->fd[0] : -1);
		/* What belongs to the package comes first, and only that has to be there. */
		if (fd < 0 && zone != SCAPH_ZONE_AT_PACKAGE)
			continue;
		if (fd < 0) {
			refuse_event(pmu->cpu[at], fd, ret_why);
			return fd;
		}
		group->fd[group->count] = fd;
		group->zone[group->count++] = zone;
		package->zones |= 1U << zone;
		package->counter[zone].step_units = pmu->step_units[zone];
	}
	return 0;
}

/* Events that do not count are not read any longer. */
static void drop_left_out(struct perf_group *group, uint32_t zones)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < group->count; i++) {
		if (!(zones & 1U << group->zone[i])) {
			close(group->fd[i]);
			continue;
		}
		group->fd[kept] = group->fd[i];
		group->zone[kept++] = group->zone[i];
	}
	group->count = kept;
}

static void perf_close(struct scaph_source *source)
{
	struct perf *perf = (struct perf *)source;

	for (uint32_t i = 0; i < SCAPH_PACKAGES_MAX; i++)
		drop_left_out(&perf->group[i], 0);
	free(perf);
}

static int perf_open(const struct scaph_config *config, const struct scaph_topology *topology,
		     const char *argument, struct scaph_source **ret_source,
		     char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct scaph_power_pmu pmu;
	struct perf *perf;
	int r;

	snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "%s",
		 argument ? "nothing may stand behind perf" : "out of memory");
	if (argument)
		return -EINVAL;
	r = scaph_power_pmu_read(config, topology, &pmu, ret_why);
	if (r)
		return r;
	perf = calloc(1, sizeof(*perf));
	if (!perf)
		return -ENOMEM;
	perf->source.ops = &scaph_source_perf;
	perf->source.packages = topology->packages;
	for (uint32_t i = 0; i < topology->packages && r == 0; i++)
		r = open_group(perf, &pmu, i, ret_why);
	if (r == 0)
		r = scaph_supported_check(&perf->source, topology, ret_why);
	if (r) {
		perf_close(&perf->source);
		return r;
	}
	for (uint32_t i = 0; i < topology->packages; i++)
		drop_left_out(&perf->group[i], perf->source.package[i].zones);
	perf->source.filtered = scaph_msr_filtered(config, topology);
	*ret_source = &perf->source;
	return 0;
}

const struct scaph_source_ops scaph_source_perf = {
	.name = "perf",
	.id = SCAPH_SOURCE_PERF,
	.usage = "--source perf (the kernel's power PMU, needs CAP_PERFMON)",
	.open = perf_open,
	.read = perf_read,
	.peek = perf_peek,
	.close = perf_close,
};
