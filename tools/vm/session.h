/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - what every command has in hand: the connection, and the domain that was named
 */
#ifndef SCAPH_VM_SESSION_H
#define SCAPH_VM_SESSION_H

#include "tools/vm/options.h"
#include "tools/vm/virt.h"

struct scaph_session {
	const struct scaph_vm_options *options;
	struct scaph_virt *virt;
	struct scaph_virt_domain domain;
};

/* 0, or a negative errno after one line; scaph_session_close() either way. */
int scaph_session_open(struct scaph_session *session, const struct scaph_vm_options *options);
void scaph_session_close(struct scaph_session *session);

#endif
