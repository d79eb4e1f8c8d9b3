/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instant.h - the energy of every package and the CPU time of every domain, as of one instant
 *
 * Counters and CPU times are read one after the other. Whoever is halted between them (a stopped
 * process, a hypervisor that itself is a guest, a late turn on a full machine) would divide the
 * energy of one stretch by the times of another. So a reading that took too long is taken again; what
 * a sweep took before stays taken, and counts.
 */
#ifndef SCAPH_PRODUCER_INSTANT_H
#define SCAPH_PRODUCER_INSTANT_H

#include "producer/publish/publisher.h"

enum scaph_instant_result {
	SCAPH_INSTANT_HELD =
		1, /* a package cannot be read, which may pass; no CPU time was taken */
};

struct scaph_instant {
	uint64_t end_ns; /* CLOCK_MONOTONIC */
	bool torn; /* every reading took too long: the last stands */
	struct scaph_energy energy[SCAPH_PACKAGES_MAX];
	uint64_t busy_ns[SCAPH_PACKAGES_MAX];
};

/**
 * scaph_instant_take() - read everything as of now
 * @end_ns: the clock of a moment ago
 * @ret:    CPU times are in the publisher's readings. Energy and end also with SCAPH_INSTANT_HELD
 *
 * Return:   0, SCAPH_INSTANT_HELD, or a negative errno: CPU times cannot be read, none was taken.
 */
int scaph_instant_take(struct scaph_publisher *publisher, uint64_t end_ns,
		       struct scaph_instant *ret);

#endif
