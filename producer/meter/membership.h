/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membership.h - which of resctrl's groups holds the threads of which domain
 *
 * Threads are listed before the groups' tasks are: one that is born in between is not missed in a
 * group, and one that ended is not there to be asked for its name.
 */
#ifndef SCAPH_PRODUCER_MEMBERSHIP_H
#define SCAPH_PRODUCER_MEMBERSHIP_H

#include "producer/machine/resctrl.h"
#include "producer/meter/traffic.h"

#define SCAPH_MEMBERSHIP_NOBODY (-1) /* a group without a domain */

/**
 * scaph_membership_find() - the domain of each group
 * @groups:     the first is the root, which holds whoever is in no other
 * @ret_owner:  by group: the number of its part, or SCAPH_MEMBERSHIP_NOBODY; written in any case
 * @ret_why:    set on failure: one clause
 *
 * Return:   0; or a negative errno: a domain has no group, not enough of one, or not for itself.
 */
int scaph_membership_find(const char *procfs, const struct scaph_resctrl_group *groups,
			  uint32_t group_count, const struct scaph_traffic_part *parts,
			  uint32_t part_count, int32_t *ret_owner,
			  char ret_why[SCAPH_TRAFFIC_WHY_BYTES]);

#endif
