/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.h - our devices in a machine that runs, plugged in and out
 */
#ifndef SCAPH_VM_LIVE_H
#define SCAPH_VM_LIVE_H

#include "tools/vm/plan.h"
#include "tools/vm/session.h"

/* Those of @set that the running machine has; none if it does not run. */
unsigned int scaph_live_has(const struct scaph_virt_domain *domain,
			    const struct scaph_definition_terms *terms, unsigned int set);

/**
 * scaph_live_refusal() - why one transport's device cannot be plugged into a domain that runs
 *
 * Return:   NULL: as far as can be told it can.
 */
const char *scaph_live_refusal(struct scaph_virt *virt, const struct scaph_virt_domain *domain,
			       unsigned int transport);

/* Plug in what @set names: 0, or a negative errno after one line. */
int scaph_live_attach(struct scaph_session *session, const struct scaph_plan *plan,
		      unsigned int set);

/**
 * scaph_live_detach() - plug out those of @set that the running machine has
 *
 * Context:  its guest has to let go; waits for some seconds.
 * Return:   0; -EBUSY after one line: the guest keeps one; or another negative errno after one line.
 */
int scaph_live_detach(struct scaph_session *session, unsigned int set);

#endif
