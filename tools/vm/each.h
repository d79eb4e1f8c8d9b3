/* SPDX-License-Identifier: Apache-2.0 */
/*
 * each.h - the domain that was named, or every enrolled one
 */
#ifndef SCAPH_VM_EACH_H
#define SCAPH_VM_EACH_H

#include "tools/vm/session.h"

/**
 * scaph_each() - do something with the named domain, or with each enrolled one
 * @session: turned to the domain at each call of @act
 * @act:     0 or a negative errno; one that fails does not keep the others from their turn
 *
 * Return:   0, or the first negative errno.
 */
int scaph_each(struct scaph_session *session,
	       int (*act)(struct scaph_session *session, void *context), void *context);

#endif
