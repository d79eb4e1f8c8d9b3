/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - what every command has in hand: the connection, the domain that was named, what is known of it
 */
#ifndef SCAPH_VM_SESSION_H
#define SCAPH_VM_SESSION_H

#include <stdint.h>

#include "tools/vm/options.h"
#include "tools/vm/record.h"
#include "tools/vm/virt.h"

struct scaph_session {
	const struct scaph_vm_options *options;
	int store; /* negative: there is none */
	struct scaph_virt *virt; /* NULL: it was not asked for */
	struct scaph_virt_domain domain;
	uint32_t vmid; /* of Proxmox's, which libvirt does not know; 0: it is libvirt's */
	bool gone; /* libvirt, or Proxmox, knows it no more: only its UUID and shown name are set */
	struct scaph_record record; /* state NONE: it is not enrolled */
};

/**
 * scaph_session_open() - store and connection, and no domain yet
 * @change:  something is to be changed: the store is made and locked
 * @libvirt: false: without a connection; domains are then known by their records alone. Nor is there one where every
 *           domain in question is Proxmox's.
 *
 * Return:   0, or a negative errno after one line; scaph_session_close() either way.
 */
int scaph_session_open(struct scaph_session *session, const struct scaph_vm_options *options,
		       bool change, bool libvirt);
void scaph_session_close(struct scaph_session *session);

/* Whether a domain is enrolled, by its UUID. */
bool scaph_session_knows(const struct scaph_session *session, const char *uuid);

/* Turn to a domain: 0, or a negative errno after one line, which names the words. */
int scaph_session_turn(struct scaph_session *session, const char *words);

/* Look at domain and record again, for something was done. 0, or a negative errno after one line. */
int scaph_session_look(struct scaph_session *session);

#endif
