/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enrolment.c - mounts and files of a domain, and interrupted work
 */
#include "tools/vm/enrolment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/vm/daemon.h"
#include "tools/vm/ivshmem_file.h"
#include "tools/vm/live.h"
#include "tools/vm/plan.h"
#include "tools/vm/say.h"
#include "tools/vm/share_mount.h"
#include "tools/vm/store.h"

#define TRIES 20
#define TRY_NS 100000000L

/* Noted in the record, so that the file can be made while libvirt does not run. */
static int find_user(struct scaph_session *session)
{
	struct scaph_record *record = &session->record;
	char *capabilities;

	if (session->virt && !session->gone) {
		capabilities = scaph_virt_capabilities(session->virt);
		if (!capabilities)
			return -EIO;
		record->user_known = scaph_qemu_user_parse(capabilities, session->domain.definition,
							   &record->user);
		free(capabilities);
	}
	if (record->user_known)
		return 0;
	scaph_vm_error("%s: libvirt does not say which user QEMU runs as; give --transport "
		       "virtiofs or 9p",
		       session->domain.shown);
	return -ENOTSUP;
}

static int make_file(struct scaph_session *session)
{
	int r = find_user(session);

	return r ? r
		 : scaph_ivshmem_file_make(session->record.shm_dir, session->domain.uuid,
					   &session->record.user);
}

static int refuse_mount(const char *root, const char *uuid)
{
	scaph_vm_error("%s/%s: something else is mounted there; umount it", root, uuid);
	return -EBUSY;
}

int scaph_enrolment_check_room(struct scaph_session *session, unsigned int set)
{
	const struct scaph_record *record = &session->record;
	const char *uuid = session->domain.uuid;
	int r;

	if (set & SCAPH_TRANSPORTS_FOLDER) {
		if (scaph_share_mount_look(record->share_root, uuid, SCAPH_MOUNT_SHARE) ==
		    SCAPH_MOUNT_WRONG)
			return refuse_mount(record->share_root, uuid);
		if (scaph_share_mount_look(record->export_root, uuid, SCAPH_MOUNT_EXPORT) ==
		    SCAPH_MOUNT_WRONG)
			return refuse_mount(record->export_root, uuid);
	}
	if (!(set & SCAPH_TRANSPORT_IVSHMEM))
		return 0;
	r = find_user(session);
	if (r == 0 && scaph_ivshmem_file_look(record->shm_dir, uuid, &record->user) ==
			      SCAPH_IVSHMEM_FOREIGN) {
		scaph_vm_error("%s/scaph-%s: somebody else's, or no plain file; see whose it is "
			       "and remove it",
			       record->shm_dir, uuid);
		r = -EEXIST;
	}
	return r;
}

int scaph_enrolment_build(struct scaph_session *session, unsigned int set)
{
	const struct scaph_record *record = &session->record;
	const char *uuid = session->domain.uuid;
	int r = 0;

	if (set & SCAPH_TRANSPORTS_FOLDER) {
		r = scaph_share_mount_make(record->share_root, uuid);
		if (r == 0)
			r = scaph_share_mount_export(record->share_root, record->export_root, uuid);
	}
	if (r == 0 && set & SCAPH_TRANSPORT_IVSHMEM)
		r = make_file(session);
	return r;
}

int scaph_enrolment_set_profile(struct scaph_session *session, enum scaph_vm_profile profile)
{
	const char *uuid = session->domain.uuid;
	int r = scaph_profile_file_put(session->record.profile_dir, uuid, profile);

	if (r == 0)
		r = scaph_daemon_ask(session->options->daemon_dir, "profile", uuid);
	return r == -ENOENT ? 0 : r;
}

static int unmount(const struct scaph_session *session, const char *root)
{
	static const struct timespec pause = { .tv_nsec = TRY_NS };
	const char *uuid = session->domain.uuid;
	int r = -EBUSY;

	for (int i = 0; i < TRIES && r == -EBUSY; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		r = scaph_daemon_ask(session->options->daemon_dir, "release", uuid);
		if (r == 0 || r == -ENOENT)
			r = scaph_share_mount_remove(root, uuid, false);
		if (r == -EBUSY && session->domain.active)
			return scaph_share_mount_remove(root, uuid, true);
	}
	if (r == -EBUSY)
		scaph_vm_error("%s/%s: somebody has it open; fuser -vm says who: end that, then "
			       "run scaph-vm disable %s",
			       root, uuid, uuid);
	return r;
}

int scaph_enrolment_clear(struct scaph_session *session, unsigned int goes, unsigned int stays)
{
	const struct scaph_record *record = &session->record;
	int r = 0;

	if (goes & SCAPH_TRANSPORTS_FOLDER && !(stays & SCAPH_TRANSPORTS_FOLDER)) {
		r = unmount(session, record->export_root);
		if (r == 0)
			r = unmount(session, record->share_root);
	}
	if (r == 0 && goes & ~stays & SCAPH_TRANSPORT_IVSHMEM) {
		r = scaph_daemon_ask(session->options->daemon_dir, "release", session->domain.uuid);
		if (r == 0 || r == -ENOENT)
			r = scaph_ivshmem_file_remove(record->shm_dir, session->domain.uuid);
	}
	return r;
}

char *scaph_enrolment_original(const struct scaph_session *session)
{
	const char *uuid = session->domain.uuid;
	char *original = NULL, *enabled;

	if (session->record.state == SCAPH_RECORD_NONE || !session->record.exact)
		return NULL;
	enabled = scaph_store_get(session->store, uuid, SCAPH_RECORD_ENABLED);
	if (enabled && strcmp(enabled, session->domain.definition) == 0)
		original = scaph_store_get(session->store, uuid, SCAPH_RECORD_ORIGINAL);
	free(enabled);
	return original;
}

/* Put the definition to what @plan says, unless it is. */
static int define(struct scaph_session *session, const struct scaph_plan *plan)
{
	if (strcmp(plan->definition, session->domain.definition) == 0)
		return 0;
	return scaph_virt_define(session->virt, plan->definition);
}

/* Back to the definition before the change that was begun last. */
static int undo_definition(struct scaph_session *session)
{
	const struct scaph_record *record = &session->record;
	char *before = scaph_store_get(session->store, session->domain.uuid, SCAPH_RECORD_BEFORE);
	struct scaph_plan plan;
	bool left = false;
	int r = scaph_plan_init(&plan, record, &session->domain);

	if (r == 0 && before &&
	    !scaph_definition_alike(before, session->domain.definition, &plan.terms)) {
		scaph_vm_note("%s: somebody else has changed its definition meanwhile; only what "
			      "is ours is taken out",
			      session->domain.shown);
		free(before);
		before = NULL;
	}
	if (r == 0)
		r = scaph_plan_remove(
			&plan, record->adding & ~record->transports, before,
			record->memory && !(record->transports & SCAPH_TRANSPORT_VIRTIOFS), &left);
	if (r == 0)
		r = define(session, &plan);
	if (r == 0 && left)
		scaph_vm_note("%s: its shared memory backing stays: others need it, or changed it",
			      session->domain.shown);
	scaph_plan_deinit(&plan);
	free(before);
	return r;
}

/* What was in force is again. */
static int settle(struct scaph_session *session)
{
	struct scaph_record *record = &session->record;
	int r;

	if (!record->transports)
		return scaph_record_forget(session->store, session->domain.uuid);
	r = session->gone ? 0 : scaph_virt_look(session->virt, &session->domain);
	if (r == 0 && !session->gone)
		r = scaph_store_put(session->store, session->domain.uuid, SCAPH_RECORD_ENABLED,
				    session->domain.definition);
	record->adding = record->live = 0;
	record->profile_adding = SCAPH_VM_PROFILE_NONE;
	record->memory &= (record->transports & SCAPH_TRANSPORT_VIRTIOFS) != 0;
	record->state = SCAPH_RECORD_ENABLED_STATE;
	return r ? r : scaph_record_save(session->store, session->domain.uuid, record);
}

int scaph_enrolment_roll_back(struct scaph_session *session)
{
	struct scaph_record *record = &session->record;
	int r = session->gone ? 0 : scaph_virt_look(session->virt, &session->domain);

	/* What a guest does not let go of stays its own until it ends, and has been said. */
	if (r == 0 && !session->gone && record->live)
		(void)scaph_live_detach(session, record->live);
	if (r == 0 && !session->gone)
		r = undo_definition(session);
	if (r == 0 && record->profile_adding != SCAPH_VM_PROFILE_NONE)
		r = scaph_enrolment_set_profile(session, record->profile);
	if (r == 0)
		r = scaph_enrolment_clear(session, record->adding, record->transports);
	return r ? r : settle(session);
}

static int remove_definition(struct scaph_session *session)
{
	char *original = scaph_enrolment_original(session);
	struct scaph_plan plan;
	bool left = false;
	int r = scaph_plan_init(&plan, &session->record, &session->domain);

	if (r == 0)
		r = scaph_plan_remove(&plan, SCAPH_TRANSPORTS_ALL, original, session->record.memory,
				      &left);
	if (r == 0)
		r = define(session, &plan);
	scaph_plan_deinit(&plan);
	free(original);
	return r;
}

int scaph_enrolment_end(struct scaph_session *session)
{
	const struct scaph_record *record = &session->record;
	int kept = 0, r;

	/* All the rest is done whether its guest lets go or not. */
	if (!session->gone && record->live)
		kept = scaph_live_detach(session, record->live);
	r = session->gone ? 0 : remove_definition(session);
	if (r == 0 && record->profile != SCAPH_VM_PROFILE_NONE)
		r = scaph_enrolment_set_profile(session, SCAPH_VM_PROFILE_NONE);
	if (r == 0)
		r = scaph_enrolment_clear(session, SCAPH_TRANSPORTS_ALL, 0);
	if (r == 0)
		r = scaph_record_forget(session->store, session->domain.uuid);
	return r ? r : kept;
}

int scaph_enrolment_mend(struct scaph_session *session)
{
	const char *shown = session->domain.shown;
	int r;

	switch (session->record.state) {
	case SCAPH_RECORD_ENABLING:
		scaph_vm_note("%s: an earlier enable was interrupted: it is undone first", shown);
		r = session->options->dry_run ? 0 : scaph_enrolment_roll_back(session);
		break;
	case SCAPH_RECORD_DISABLING:
		scaph_vm_note("%s: an earlier disable was interrupted: it is ended first", shown);
		r = session->options->dry_run ? 0 : scaph_enrolment_end(session);
		break;
	case SCAPH_RECORD_NONE:
		/* Texts of a run that was killed before it noted what they are for. */
		return session->options->dry_run || session->store < 0
			       ? 0
			       : scaph_record_forget(session->store, session->domain.uuid);
	default:
		return 0;
	}
	return r || session->options->dry_run ? r : scaph_session_look(session);
}

int scaph_enrolment_begin(struct scaph_session *session, const struct scaph_vm_options *options)
{
	int r = scaph_session_open(session, options, true, true);

	if (r == 0)
		r = scaph_session_turn(session, options->domain);
	return r ? r : scaph_enrolment_mend(session);
}
