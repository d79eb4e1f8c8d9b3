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
#include "tools/vm/live.h"
#include "tools/vm/plan.h"
#include "tools/vm/proxmox.h"
#include "tools/vm/say.h"
#include "tools/vm/settings.h"

/* What can be plugged out. */
#define PLUGGED (SCAPH_TRANSPORT_VIRTIOFS | SCAPH_TRANSPORT_IVSHMEM)

static void show_running(const struct scaph_session *session, const struct scaph_plan *plan)
{
	unsigned int has = scaph_live_has(&session->domain, &plan->terms, SCAPH_TRANSPORTS_ALL);
	const char *shown = session->domain.shown;

	if (!session->options->live || !has)
		scaph_vm_note("%s runs: its guest sees its figures end, and has the devices until "
			      "its next start%s",
			      shown, has & PLUGGED ? ", or until disable --live" : "");
	else
		scaph_vm_note("%s runs: the devices are plugged out at once; a guest that has the "
			      "share mounted is to umount it first",
			      shown);
	if (session->options->live && has & SCAPH_TRANSPORT_PLAN9)
		scaph_vm_note("%s: a 9p device cannot be plugged out: it has that until its next "
			      "start",
			      shown);
}

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
			show_running(session, &plan);
		if (record->profile != SCAPH_VM_PROFILE_NONE)
			scaph_vm_note("%s: its profile %s is taken back: scaphd's own rules hold",
				      session->domain.shown,
				      scaph_vm_profile_word(record->profile));
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
		any = plan.has || (session->options->live &&
				   scaph_live_has(&session->domain, &plan.terms, PLUGGED));
	scaph_plan_deinit(&plan);
	return any;
}

/* What is taken away now would be given again. */
static void warn_of_auto(const struct scaph_session *session)
{
	struct scaph_settings settings;

	if (!session->domain.name || scaph_settings_read(session->options->settings, &settings))
		return;
	if (scaph_settings_choose(&settings, session->domain.name))
		scaph_vm_note("%s: an auto-enable in %s is for its name, and scaph-vm auto would "
			      "enable it again: put an auto-except there",
			      session->domain.shown, session->options->settings);
	scaph_settings_deinit(&settings);
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
	warn_of_auto(session);
	record->state = SCAPH_RECORD_DISABLING;
	if (options->live)
		record->live = PLUGGED;
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
