/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hypervisor.h - who tells us which domains run
 *
 * Threads of the hypervisor's connection call the listener, one call at a time. The listener copies
 * and returns at once: it must neither block nor call back.
 */
#ifndef SCAPH_PRODUCER_HYPERVISOR_H
#define SCAPH_PRODUCER_HYPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/layout.h"

/* One running domain as the hypervisor describes it. */
struct scaph_sighting {
	char name[SCAPH_NAME_BYTES]; /* cut if longer: to be shown, never to be looked up by */
	uint8_t uuid[SCAPH_UUID_BYTES];
	pid_t pid;
	uint32_t vcpus;
	bool paused;
	bool ivshmem; /* its live definition has a shared memory device named scaph-UUID */

	/* Of discovery alone. */
	bool discovered; /* found in /proc; the hypervisor's own word goes before it */
	bool derived; /* the UUID is, for the process says none */
	bool pve_shmem; /* the device is called as Proxmox calls it */
	bool uuid_alone; /* its name is not one that a share is found by */
	uint64_t birth_ticks; /* which process it is */
};

struct scaph_hypervisor_listener {
	void *context;
	/* New, or changed; may be repeated. */
	void (*running)(void *context, const struct scaph_sighting *sighting);
	/* QEMU is gone: destroyed, shut down, crashed, saved, migrated away. */
	void (*stopped)(void *context, const uint8_t uuid[SCAPH_UUID_BYTES]);
	/*
	 * The UUID's life is over: its counters begin anew. Never while it runs: of one whose
	 * definition goes first, and of one that has none, it comes after stopped().
	 */
	void (*undefined)(void *context, const uint8_t uuid[SCAPH_UUID_BYTES]);
	/*
	 * Resumed, restored, migrated: bytes in its segment may be old. running() follows and says
	 * whether it is paused; of one that is not known yet this means nothing.
	 */
	void (*refresh)(void *context, const uint8_t uuid[SCAPH_UUID_BYTES]);
	/*
	 * A full list has been given after (re)connecting: whoever runs or is defined and is not
	 * among these is gone. The running ones come first.
	 */
	void (*listed)(void *context, const uint8_t (*uuids)[SCAPH_UUID_BYTES], uint32_t running,
		       uint32_t defined);
	/* Once per change, for one line of log. @why: NULL if up. */
	void (*connection)(void *context, bool up, const char *why);
	/*
	 * It is said to run, and its process could not be found for some seconds: once a run, for
	 * one line of log. It is still looked for. @sighting: without a process. May be NULL.
	 */
	void (*unseen)(void *context, const struct scaph_sighting *sighting, const char *why);
};

struct scaph_hypervisor;

/* Whether a URI is one that scaph_hypervisor_start() takes. */
bool scaph_hypervisor_takes(const char *uri);

/**
 * scaph_hypervisor_start() - begin to listen; one that is not there yet is waited for
 * @uri:      of libvirt: qemu:///system or qemu:///session, for a process of another machine or of
 *            another kind of hypervisor cannot be measured here
 * @run_dir:  where it keeps the PID files of its domains
 * @listener: copied
 *
 * Once a process, for libvirt's event loop is the process's.
 *
 * Return:   0, -EINVAL for another URI, or another negative errno.
 */
int scaph_hypervisor_start(const char *uri, const char *run_dir,
			   const struct scaph_hypervisor_listener *listener,
			   struct scaph_hypervisor **ret_hypervisor);

/* No call comes after this returned. Within about a second, even if libvirt hangs. NULL is allowed. */
void scaph_hypervisor_stop(struct scaph_hypervisor *hypervisor);

#endif
