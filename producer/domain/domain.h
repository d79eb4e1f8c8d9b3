/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain.h - a domain: a process that the operator named, or that the hypervisor says is one
 *
 * Identity is the UUID. Where the operator gave none it is derived from the name and the process's
 * start time, so that a restarted daemon finds the same one and another process of that name does
 * not. The pidfd keeps a re-used PID from being taken for it.
 */
#ifndef SCAPH_PRODUCER_DOMAIN_H
#define SCAPH_PRODUCER_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "producer/config/config.h"
#include "producer/domain/hypervisor.h"
#include "proto/layout.h"

struct scaph_domain {
	char name[SCAPH_NAME_BYTES];
	char shown[4 * SCAPH_NAME_BYTES]; /* safe to print */
	uint8_t uuid[SCAPH_UUID_BYTES];
	bool uuid_given;
	bool ivshmem; /* scaph-UUID is a device of its own, or may be */
	bool hypervisor; /* known from there, not from an option */
	uint32_t vcpus;
	uint32_t profile; /* enum scaph_profile_id */
	pid_t pid;
	int pidfd;
	clockid_t cpu_clock;
};

/**
 * scaph_domain_open() - make a domain of "NAME=pid:PID" or "NAME@UUID=pid:PID"
 * @item:       the option's value and where it was given
 * @ret_domain: set only on 0; closed with scaph_domain_close()
 *
 * Return:   0, or a negative errno after one line on standard error.
 */
int scaph_domain_open(const struct scaph_config_item *item, struct scaph_domain *ret_domain);

/**
 * scaph_domain_from_sighting() - make a domain of what the hypervisor says
 * @ret_domain: as above
 *
 * Return:   0; -ESRCH without a line: the process is gone already; or another errno after a line.
 */
int scaph_domain_from_sighting(const struct scaph_sighting *sighting,
			       struct scaph_domain *ret_domain);
void scaph_domain_close(struct scaph_domain *domain);

#endif
