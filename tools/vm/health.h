/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.h - what is wrong with an enrolled domain's share, and what mends it
 *
 * Looks only.
 */
#ifndef SCAPH_VM_HEALTH_H
#define SCAPH_VM_HEALTH_H

#include "tools/vm/session.h"

struct scaph_health {
	unsigned int faults;
	void (*say)(const char *what, const char *mend); /* NULL: count only */
};

/* Of mounts and files alone, which scaph-vm repair mends. */
void scaph_health_look_at_host(struct scaph_session *session, struct scaph_health *health);

/* Of everything else: what libvirt knows of the domain, and what scaphd does. */
void scaph_health_look_at_domain(struct scaph_session *session, struct scaph_health *health);

#endif
