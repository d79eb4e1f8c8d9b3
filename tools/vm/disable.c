/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disable.c - scaph-vm disable
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vm/commands.h"
#include "tools/vm/confirm.h"
#include "tools/vm/enrolment.h"
#include "tools/vm/plan.h"
#include "tools/vm/proxmox.h"
#include "tools/vm/say.h"

/* What is to become of the definition; nothing to show of a domain that has none. */
static int show(struct scaph_session *session, const char *original)
{
	const struct scaph_record *record = &session->record;
	struct scaph_plan plan = {};
	bool left = false;
	int r;

	if (session->gone)
		return 0;
	r = scaph_plan_init(&plan, record, &session->domain);
	if (r == 0)
		r = scaph_plan_remove(&plan, SCAPH_TRANSPORTS_ALL, original, record->memory, &left);
	if (r == 0) {
		scaph_plan_show(&plan);
		if (!original && record->state != SCAPH_RECORD_NONE)
			scaph_vm_note("%s: somebody else has changed its definition since: only "
				      "what is ours is taken out",
				      session->domain.shown);
		if (left)
			scaph_vm_note("%s: its shared memory backing stays: others need it, or "
				      "changed it",
				      session->domain.shown);
		if (session->domain.active)
			scaph_vm_note("%s runs: its guest sees its figures end, and has the "
				      "devices until its next start",
				      session->domain.shown);
		if (session->domain.saved)
			scaph_vm_note("%s was saved with the devices in it, and its next start has "
				      "them once more: virsh managedsave-remove %s",
				      session->domain.shown, session->domain.uuid);
	}
	scaph_plan_deinit(&plan);
	return r;
}

static bool anything_of_ours(const struct scaph_session *session)
{
	struct scaph_plan plan = {};
	bool any = session->record.state != SCAPH_RECORD_NONE;

	if (!any && scaph_plan_init(&plan, &session->record, &session->domain) == 0)
		any = plan.has;
	scaph_plan_deinit(&plan);
	return any;
}

static int disable(struct scaph_session *session)
{
	const struct scaph_vm_options *options = session->options;
	struct scaph_record *record = &session->record;
	char *original;
	int r;

	if (!anything_of_ours(session)) {
		printf("%s: nothing of ours.\n", session->domain.shown);
		return 0;
	}
	original = session->gone ? NULL : scaph_enrolment_original(session);
	r = show(session, original);
	free(original);
	if (r || options->dry_run)
		return r;
	r = scaph_confirm("Do that?", options->yes);
	if (r)
		return r;
	record->state = SCAPH_RECORD_DISABLING;
	r = scaph_record_save(session->store, session->domain.uuid, record);
	return r ? r : scaph_enrolment_end(session);
}

int scaph_vm_disable(const struct scaph_vm_options *options)
{
	struct scaph_session session;
	int r;

	if (options->proxmox)
		return scaph_proxmox_disable(options);
	r = scaph_enrolment_begin(&session, options);
	if (r == 0)
		r = disable(&session);
	scaph_session_close(&session);
	return r;
}
