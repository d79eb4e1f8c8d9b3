/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disable.c - scaph-vm disable
 */
#include <errno.h>

#include "tools/vm/commands.h"
#include "tools/vm/plan.h"
#include "tools/vm/say.h"
#include "tools/vm/session.h"

static int disable(struct scaph_session *session, struct scaph_plan *plan)
{
	bool left = false;
	int r = scaph_plan_init(plan, session->options, &session->domain);

	if (r == 0)
		r = scaph_plan_disable(plan, true, &left);
	if (r)
		return r;
	scaph_plan_show(plan);
	if (left)
		scaph_vm_note("%s: its memory backing stays", session->domain.shown);
	if (session->options->dry_run)
		return 0;
	scaph_vm_error("nothing but --dry-run is built yet");
	return -ENOSYS;
}

int scaph_vm_disable(const struct scaph_vm_options *options)
{
	struct scaph_session session;
	struct scaph_plan plan = {};
	int r = scaph_session_open(&session, options);

	if (r == 0)
		r = disable(&session, &plan);
	scaph_plan_deinit(&plan);
	scaph_session_close(&session);
	return r;
}
