/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enable.c - scaph-vm enable
 *
 * Noted first, done then: record, mounts, definition, record. Whatever fails undoes all of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vm/commands.h"
#include "tools/vm/confirm.h"
#include "tools/vm/daemon.h"
#include "tools/vm/enrolment.h"
#include "tools/vm/live.h"
#include "tools/vm/plan.h"
#include "tools/vm/proxmox.h"
#include "tools/vm/say.h"
#include "tools/vm/store.h"

/* Before anything else is touched. */
static int begin(struct scaph_session *session, const struct scaph_plan *plan)
{
	struct scaph_record *record = &session->record;
	const char *uuid = session->domain.uuid, *now = session->domain.definition;
	char *original;
	int r = 0;

	if (record->state == SCAPH_RECORD_NONE) {
		/* Devices of ours that nothing is known of: what was before them is lost. */
		record->exact = !plan->has;
		r = scaph_store_put(session->store, uuid, SCAPH_RECORD_ORIGINAL, now);
	} else {
		original = scaph_enrolment_original(session);
		record->exact = original;
		free(original);
	}
	if (r == 0)
		r = scaph_store_put(session->store, uuid, SCAPH_RECORD_BEFORE, now);
	record->adding = plan->wants;
	record->live = plan->attaches;
	record->profile_adding = plan->profile;
	if (plan->wants & SCAPH_TRANSPORT_VIRTIOFS && !scaph_definition_has_memory(now))
		record->memory = true;
	record->state = SCAPH_RECORD_ENABLING;
	return r ? r : scaph_record_save(session->store, uuid, record);
}

/* It may have let go of this domain's share once. */
static int show_daemon(struct scaph_session *session)
{
	int r = scaph_daemon_ask(session->options->daemon_dir, "reopen", session->domain.uuid);

	return r == -ENOENT ? 0 : r;
}

static int carry_out(struct scaph_session *session, const struct scaph_plan *plan)
{
	struct scaph_record *record = &session->record;
	int r = scaph_enrolment_build(session, plan->wants);

	if (r == 0 && plan->profile != SCAPH_VM_PROFILE_NONE)
		r = scaph_enrolment_set_profile(session, plan->profile);
	if (r == 0 && strcmp(plan->definition, session->domain.definition) != 0)
		r = scaph_virt_define(session->virt, plan->definition);
	if (r == 0)
		r = scaph_live_attach(session, plan, plan->attaches);
	if (r == 0 && plan->attaches)
		r = show_daemon(session);
	if (r == 0)
		r = scaph_virt_look(session->virt, &session->domain);
	if (r == 0)
		r = scaph_store_put(session->store, session->domain.uuid, SCAPH_RECORD_ENABLED,
				    session->domain.definition);
	if (r)
		return r;
	record->transports = plan->wants;
	record->adding = record->live = 0;
	if (plan->profile != SCAPH_VM_PROFILE_NONE)
		record->profile = plan->profile;
	record->profile_adding = SCAPH_VM_PROFILE_NONE;
	record->state = SCAPH_RECORD_ENABLED_STATE;
	return scaph_record_save(session->store, session->domain.uuid, record);
}

static int commit(struct scaph_session *session, const struct scaph_plan *plan)
{
	struct scaph_record *record = &session->record;
	unsigned int before = record->transports;
	enum scaph_vm_profile profile = record->profile;
	int r = begin(session, plan), undone;

	if (r == 0)
		r = carry_out(session, plan);
	if (r == 0)
		return 0;
	record->state = SCAPH_RECORD_ENABLING;
	record->transports = before;
	record->adding = plan->wants;
	record->live = plan->attaches;
	record->profile = profile;
	record->profile_adding = plan->profile;
	undone = scaph_enrolment_roll_back(session);
	scaph_vm_error("%s: %s", session->domain.shown,
		       undone ? "it could not all be undone; run scaph-vm disable when that is "
				"mended"
			      : "it failed, and all was undone");
	return r;
}

/* What could be plugged in is found out whether it is wanted or not, for it is told. */
static int choose_live(struct scaph_session *session, struct scaph_plan *plan)
{
	unsigned int lacks = plan->wants &
			     ~scaph_live_has(&session->domain, &plan->terms, plan->wants);

	for (unsigned int one = 1; one <= SCAPH_TRANSPORTS_ALL && !plan->not_live; one <<= 1) {
		if (lacks & one)
			plan->not_live = scaph_live_refusal(session->virt, &session->domain, one);
	}
	plan->lacks = lacks;
	if (!session->options->live)
		return 0;
	if (plan->not_live) {
		scaph_vm_error("%s: --live: %s; leave --live away, and it has its share from its "
			       "next start on",
			       session->domain.shown, plan->not_live);
		return -ENOTSUP;
	}
	plan->attaches = lacks;
	return 0;
}

/* One that it was given once and that somebody has taken away is given again. */
static void choose_profile(const struct scaph_session *session, struct scaph_plan *plan)
{
	const struct scaph_record *record = &session->record;
	enum scaph_vm_profile wanted = session->options->profile;

	if (wanted == SCAPH_VM_PROFILE_NONE)
		wanted = record->profile;
	if (wanted != record->profile ||
	    scaph_profile_file_look(record->profile_dir, session->domain.uuid) != wanted)
		plan->profile = wanted;
}

static int choose(struct scaph_session *session, struct scaph_plan *plan)
{
	const struct scaph_record *record = &session->record;
	unsigned int wants = session->options->transports | record->transports;
	int r;

	if (session->gone || !session->domain.persistent) {
		scaph_vm_error("%s: %s", session->domain.shown,
			       session->gone ? "it is no longer defined; scaph-vm disable takes "
					       "away what is left"
					     : "it has no definition that outlives it; virsh "
					       "define it first");
		return -EINVAL;
	}
	r = scaph_plan_init(plan, record, &session->domain);
	if (r)
		return r;
	r = scaph_plan_enable(plan, session->virt,
			      wants || plan->has ? wants : SCAPH_TRANSPORT_VIRTIOFS);
	if (r == 0 && session->domain.live)
		r = choose_live(session, plan);
	choose_profile(session, plan);
	return r ? r : scaph_enrolment_check_room(session, plan->wants);
}

static int enable(struct scaph_session *session, struct scaph_plan *plan)
{
	const struct scaph_vm_options *options = session->options;
	const struct scaph_record *record = &session->record;
	bool changes;
	int r = choose(session, plan);

	if (r)
		return r;
	changes = strcmp(plan->definition, session->domain.definition) != 0 || plan->attaches ||
		  plan->profile != SCAPH_VM_PROFILE_NONE;
	if (changes)
		scaph_plan_show(plan);
	else if (record->state == SCAPH_RECORD_ENABLED_STATE &&
		 (plan->wants & ~record->transports) == 0)
		printf("%s: its definition is right already.\n", session->domain.shown);
	if (!options->dry_run) {
		r = changes ? scaph_confirm("Do that?", options->yes) : 0;
		if (r == 0)
			r = commit(session, plan);
	}
	if (r == 0)
		scaph_plan_show_guest_lines(plan->wants);
	return r;
}

int scaph_vm_enable_quietly(struct scaph_session *session)
{
	struct scaph_plan plan = {};
	int r = choose(session, &plan);

	if (r == 0)
		r = commit(session, &plan);
	scaph_plan_deinit(&plan);
	return r;
}

int scaph_vm_enable(const struct scaph_vm_options *options)
{
	struct scaph_session session;
	struct scaph_plan plan = {};
	int r;

	if (options->proxmox)
		return scaph_proxmox_enable(options);
	r = scaph_enrolment_begin(&session, options);
	if (r == 0)
		r = enable(&session, &plan);
	scaph_plan_deinit(&plan);
	scaph_session_close(&session);
	return r;
}
