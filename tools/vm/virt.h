/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt.h - libvirt, as far as scaph-vm needs it: find a domain, read and replace its definition
 *
 * One thread, blocking calls, for a command that somebody waits for. Whatever fails has said so in one
 * line.
 */
#ifndef SCAPH_VM_VIRT_H
#define SCAPH_VM_VIRT_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/names.h"

struct scaph_virt; /* a connection */

/* A domain as it was when it was looked at. */
struct scaph_virt_domain {
	char uuid[SCAPH_UUID_TEXT_BYTES];
	char *name; /* as it is: never to be shown, never part of a path */
	char *shown; /* its name, made safe to show */
	bool active; /* it runs, or is paused */
	bool persistent; /* it has a definition that outlives it */
	bool saved; /* virsh managedsave left an image that its next start takes */
	char *definition; /* of its next start, secrets included: never to be shown */
	char *public; /* the same without secrets */
	char *live; /* of its running QEMU; NULL: it does not run */
};

/* 0, or a negative errno after one line. */
int scaph_virt_open(const char *uri, struct scaph_virt **ret_virt);

/* NULL is allowed. */
void scaph_virt_close(struct scaph_virt *virt);

/**
 * scaph_virt_find() - look at one domain
 * @words:      its UUID, its name, or the number of a running one; refused if that could be two
 * @ret_domain: set only on 0; freed with scaph_virt_domain_deinit()
 *
 * Return:   0; -ENOENT without a line: there is none; or another negative errno after one line.
 */
int scaph_virt_find(struct scaph_virt *virt, const char *words,
		    struct scaph_virt_domain *ret_domain);

void scaph_virt_domain_deinit(struct scaph_virt_domain *domain);

/**
 * scaph_virt_list() - every domain with a definition that outlives it
 * @ret_uuids: set only on 0; freed by the caller
 *
 * Return:   0, or a negative errno after one line.
 */
int scaph_virt_list(struct scaph_virt *virt, char (**ret_uuids)[SCAPH_UUID_TEXT_BYTES],
		    size_t *ret_count);

/* Look again at what scaph_virt_find() found: 0, or a negative errno after one line. */
int scaph_virt_look(struct scaph_virt *virt, struct scaph_virt_domain *domain);

/* Replace the definition of the next start: 0, or a negative errno after one line. */
int scaph_virt_define(struct scaph_virt *virt, const char *xml);

/* Plug a device into the running machine, and into nothing else: 0, or a negative errno after one line. */
int scaph_virt_attach(struct scaph_virt *virt, const struct scaph_virt_domain *domain,
		      const char *device);

/* Ask the running machine to let go of a device; it may take its time. As above. */
int scaph_virt_detach(struct scaph_virt *virt, const struct scaph_virt_domain *domain,
		      const char *device);

/*
 * Whether the running machine has a control group of libvirt's: without one libvirt 9.0 ends, by a fault of its own, when
 * a file system is plugged in.
 */
bool scaph_virt_has_group(struct scaph_virt *virt, const struct scaph_virt_domain *domain);

/* Whether libvirt could make a machine of a definition. Nothing is defined, nothing is said. */
bool scaph_virt_accepts(struct scaph_virt *virt, const char *xml);

/* What the host can do, as libvirt's XML; NULL after one line. */
char *scaph_virt_capabilities(struct scaph_virt *virt);

#endif
