/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traffic.h - how much memory traffic each domain had, where resctrl's groups show it
 *
 * Groups are those that are there: nothing is made, moved or written. A group is a domain's if tasks
 * of that domain are in it and of no other domain; whatever else it holds counts as the domain's. Of a
 * QEMU every vCPU thread has to be in a group, of any other process every thread; what is in the
 * root group is the host's, and so is all traffic of groups without a domain.
 *
 * A domain's traffic is what its groups counted between two looks. If one domain has no group, or a
 * value cannot be had, or a group came or went meanwhile, nothing is known of anybody.
 *
 * Main thread only.
 */
#ifndef SCAPH_PRODUCER_TRAFFIC_H
#define SCAPH_PRODUCER_TRAFFIC_H

#include <stdint.h>
#include <sys/types.h>

#include "producer/config/config.h"
#include "producer/machine/topology.h"

#define SCAPH_TRAFFIC_WHY_BYTES 320U

enum scaph_traffic_result {
	SCAPH_TRAFFIC_NONE = 1, /* it is not known; the reason is given */
	SCAPH_TRAFFIC_SOON = 2, /* nor it is, but may be at the next look: this one was the first */
};

/* One domain. */
struct scaph_traffic_part {
	pid_t pid; /* 0: a control group, which resctrl knows nothing of */
	const char *shown; /* its name, safe to print */
	uint64_t bytes[SCAPH_PACKAGES_MAX]; /* set on 0 */
};

struct scaph_traffic;

/* Config and topology outlive it. NULL: out of memory. */
struct scaph_traffic *scaph_traffic_new(const struct scaph_config *config,
					const struct scaph_topology *topology);
void scaph_traffic_free(struct scaph_traffic *traffic);

/**
 * scaph_traffic_look() - traffic since the last look, of every domain and of all there is
 * @parts:     every domain
 * @ret_whole: of each package, set on 0: more than 0, and at least the sum of the parts
 * @ret_why:   set otherwise: one clause
 *
 * Context:  reads some files of every group and domain, of the domains' threads only if there are as
 *           many groups. At most once a second, which is the caller's to keep.
 * Return:   0 or enum scaph_traffic_result.
 */
int scaph_traffic_look(struct scaph_traffic *traffic, struct scaph_traffic_part *parts,
		       uint32_t count, uint64_t ret_whole[SCAPH_PACKAGES_MAX],
		       char ret_why[SCAPH_TRAFFIC_WHY_BYTES]);

#endif
