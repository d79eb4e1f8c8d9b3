/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain.h - a domain: a process or control group that the operator named, or a process that the hypervisor says is one
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
#include "producer/domain/cgroup.h"
#include "producer/domain/hypervisor.h"
#include "proto/layout.h"
#include "proto/names.h"

struct scaph_domain {
	char name[SCAPH_NAME_BYTES];
	char shown[4 * SCAPH_NAME_BYTES]; /* safe to print */
	uint8_t uuid[SCAPH_UUID_BYTES];
	bool uuid_given;
	bool ivshmem; /* scaph-UUID is a device of its own, or may be */
	bool pve_shmem; /* and is called pve-shm-scaph-UUID */
	bool uuid_alone; /* its name is not one that a share is found by */
	bool released; /* we were asked to let go of its share and ivshmem file */
	bool hypervisor; /* known from there, not from an option */
	bool discovered; /* known from /proc alone; hypervisor is set too */
	uint32_t vcpus;
	uint32_t profile; /* enum scaph_profile_id */
	/* A process, or with PID 0 a control group. */
	pid_t pid;
	int pidfd; /* -1: a control group, which nothing tells the end of but its counter */
	clockid_t cpu_clock;
	uint64_t birth_ticks; /* scaph_birth_ticks() */
	struct scaph_cgroup cgroup;
};

/**
 * scaph_domain_open() - make a domain of "NAME[@UUID]=pid:PID" or "NAME[@UUID]=cgroup:PATH"
 * @config:     where control groups are
 * @item:       the option's value and where it was given
 * @ret_domain: set only on 0; closed with scaph_domain_close()
 *
 * Return:   0, or a negative errno after one line on standard error.
 */
int scaph_domain_open(const struct scaph_config *config, const struct scaph_config_item *item,
		      struct scaph_domain *ret_domain);

/**
 * scaph_domain_copy() - the same domain with descriptors of its own
 *
 * Return:   0 or a negative errno.
 */
int scaph_domain_copy(const struct scaph_domain *domain, struct scaph_domain *ret_copy);

/* What two domains must not have in common, or NULL. */
const char *scaph_domain_clash(const struct scaph_domain *a, const struct scaph_domain *b);

/**
 * scaph_domain_from_sighting() - make a domain of what the hypervisor says
 * @ret_domain: as above
 *
 * Return:   0; -ESRCH without a line: the process is gone already; or another errno after a line.
 */
int scaph_domain_from_sighting(const struct scaph_sighting *sighting,
			       struct scaph_domain *ret_domain);
void scaph_domain_close(struct scaph_domain *domain);

/* The UUID of one who has none: of its name and its process's start, on this boot of this host. */
void scaph_domain_derive_uuid(const char *name, uint64_t birth_ticks,
			      uint8_t ret_uuid[SCAPH_UUID_BYTES]);

/* What its ivshmem file is called. */
#define SCAPH_DOMAIN_SHMEM_BYTES (sizeof("pve-shm-scaph-") + SCAPH_UUID_TEXT_BYTES)
void scaph_domain_shmem_name(const struct scaph_domain *domain,
			     char ret_name[SCAPH_DOMAIN_SHMEM_BYTES]);

/* "process 4711" or "control group PATH", safe to print. */
void scaph_domain_describe(const struct scaph_domain *domain, char *ret_text, size_t size);

#endif
