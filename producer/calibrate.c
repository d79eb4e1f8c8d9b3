/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calibrate.c - --calibrate: the idle power of a host on which nothing runs
 *
 * Three spans; the lowest counts, as it does while learning. Refuses a host that is busy, for its
 * power is no idle power.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "producer/process/clock.h"
#include "producer/daemon.h"
#include "producer/process/log.h"

#define SPANS 3U
#define STEP_MS 250

struct calibration {
	struct scaph_daemon *daemon;
	struct scaph_idle idle;
	struct scaph_energy last[SCAPH_PACKAGES_MAX];
	uint64_t last_ns;
};

static int sweep(struct calibration *calibration, uint64_t *ret_busy_ns)
{
	struct scaph_meter *meter = calibration->daemon->meter;
	uint64_t busy_ns[SCAPH_PACKAGES_MAX] = {};
	int r = meter->ops->sweep(meter, NULL, 0, busy_ns);

	*ret_busy_ns = 0;
	for (uint32_t p = 0; p < calibration->daemon->source->packages; p++)
		*ret_busy_ns += busy_ns[p];
	return r;
}

/* Energy of all packages since the last step; -EIO: a counter cannot be read. */
static int measure(struct calibration *calibration, uint64_t now_ns,
		   unsigned __int128 *ret_package_units)
{
	unsigned __int128 sum = 0;

	for (uint32_t p = 0; p < calibration->daemon->source->packages; p++) {
		struct scaph_energy energy, *last = &calibration->last[p];

		scaph_sampler_read(&calibration->daemon->samplers[p], now_ns, &energy);
		if (energy.lost || energy.resets != last->resets)
			return -EIO;
		sum += energy.zone_units[SCAPH_ZONE_AT_PACKAGE] -
		       last->zone_units[SCAPH_ZONE_AT_PACKAGE];
		*last = energy;
	}
	*ret_package_units = sum;
	return 0;
}

/* One span. 0 and set; 1: the host was busy; -EINTR: a signal came. */
static int span(struct calibration *calibration, int signal_fd, uint64_t *ret_idle_uw)
{
	struct pollfd ends = { .fd = signal_fd, .events = POLLIN };
	uint64_t start_ns = calibration->last_ns;

	for (;;) {
		unsigned __int128 units;
		uint64_t now_ns, busy_ns, dt_ns;
		int r;

		if (poll(&ends, 1, STEP_MS) > 0)
			return -EINTR;
		now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
		r = measure(calibration, now_ns, &units);
		if (r == 0)
			r = sweep(calibration, &busy_ns);
		if (r)
			return r;
		dt_ns = now_ns - calibration->last_ns;
		calibration->last_ns = now_ns;
		if (scaph_idle_note(&calibration->idle, dt_ns, busy_ns, units, ret_idle_uw))
			return 0;
		if (now_ns - start_ns > SCAPH_IDLE_SPAN_NS + SCAPH_NS_PER_S)
			return 1;
	}
}

int scaph_daemon_calibrate(struct scaph_daemon *daemon, int signal_fd)
{
	struct calibration calibration = { .daemon = daemon,
					   .idle = { .cpus = daemon->topology.online },
					   .last_ns = scaph_clock_ns(CLOCK_MONOTONIC) };
	uint64_t least_uw = UINT64_MAX, busy_ns;
	unsigned __int128 units;
	int r;

	measure(&calibration, calibration.last_ns, &units);
	r = sweep(&calibration, &busy_ns);
	for (unsigned int i = 0; i < SPANS && r == 0; i++) {
		uint64_t idle_uw;

		r = span(&calibration, signal_fd, &idle_uw);
		if (r == 0)
			scaph_info("span %u of %u: %.3f W", i + 1, SPANS, (double)idle_uw / 1e6);
		if (r == 0 && idle_uw < least_uw)
			least_uw = idle_uw;
	}
	if (r > 0)
		scaph_error(
			"--calibrate: the CPUs were more than %u %% busy; stop what runs and try "
			"again",
			SCAPH_IDLE_BUSY_PERCENT);
	else if (r == -EINTR)
		scaph_error("--calibrate: interrupted; nothing was measured");
	else if (r)
		scaph_error("--calibrate: a counter cannot be read: %s; scaphd --check says more",
			    strerror(-r));
	if (r)
		return r < 0 ? r : -EBUSY;
	printf("idle-watts = %.3f\n", (double)least_uw / 1e6);
	return 0;
}
