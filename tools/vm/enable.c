/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enable.c - scaph-vm enable
 */
#include <errno.h>
#include <stdio.h>

#include "tools/vm/commands.h"
#include "tools/vm/plan.h"
#include "tools/vm/say.h"
#include "tools/vm/session.h"

static int enable(struct scaph_session *session, struct scaph_plan *plan)
{
	const struct scaph_vm_options *options = session->options;
	unsigned int wants = options->transports;
	int r;

	if (!session->domain.persistent) {
		scaph_vm_error("%s: it has no definition that outlives it; virsh define it first",
			       session->domain.shown);
		return -EINVAL;
	}
	r = scaph_plan_init(plan, options, &session->domain);
	if (r == 0)
		r = scaph_plan_enable(plan, session->virt,
				      wants || plan->has ? wants : SCAPH_TRANSPORT_VIRTIOFS);
	if (r)
		return r;
	scaph_plan_show(plan);
	if (!options->dry_run) {
		scaph_vm_error("nothing but --dry-run is built yet");
		return -ENOSYS;
	}
	scaph_plan_show_guest_lines(plan->wants);
	return 0;
}

int scaph_vm_enable(const struct scaph_vm_options *options)
{
	struct scaph_session session;
	struct scaph_plan plan = {};
	int r = scaph_session_open(&session, options);

	if (r == 0)
		r = enable(&session, &plan);
	scaph_plan_deinit(&plan);
	scaph_session_close(&session);
	return r;
}
