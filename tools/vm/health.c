/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.c - looking at an enrolled domain
 */
#include "tools/vm/health.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/vm/daemon.h"
#include "tools/vm/ivshmem_file.h"
#include "tools/vm/plan.h"
#include "tools/vm/pve_enrolled.h"
#include "tools/vm/share_mount.h"

#define LEAST_SEGMENT_BYTES 8192 /* descriptor and heads; a shorter one was cut */

__attribute__((format(printf, 3, 4))) static void fault(struct scaph_health *health,
							const char *mend, const char *format, ...)
{
	char what[2 * PATH_MAX];
	va_list words;

	va_start(words, format);
	vsnprintf(what, sizeof(what), format, words);
	va_end(words);
	health->faults++;
	if (health->say)
		health->say(what, mend);
}

static void look_at_mounts(const struct scaph_session *session, struct scaph_health *health)
{
	const struct scaph_record *record = &session->record;
	const char *uuid = session->domain.uuid;
	static const char *const words[] = {
		[SCAPH_MOUNT_ABSENT] = "nothing is mounted there",
		[SCAPH_MOUNT_WRONG] = "what is mounted there is not what was put there",
	};
	enum scaph_mount_state share, view;

	share = scaph_share_mount_look(record->share_root, uuid, SCAPH_MOUNT_SHARE);
	view = scaph_share_mount_look(record->export_root, uuid, SCAPH_MOUNT_EXPORT);
	if (share != SCAPH_MOUNT_GOOD)
		fault(health, "repair", "share %s/%s: %s", record->share_root, uuid, words[share]);
	if (view != SCAPH_MOUNT_GOOD)
		fault(health, "repair", "export %s/%s: %s", record->export_root, uuid, words[view]);
	if (share == SCAPH_MOUNT_GOOD && view == SCAPH_MOUNT_GOOD &&
	    !scaph_share_mount_same(record->share_root, record->export_root, uuid))
		fault(health, "repair", "export %s/%s: it shows another file system than the share",
		      record->export_root, uuid);
}

static void look_at_file(const struct scaph_session *session, struct scaph_health *health)
{
	static const char *const words[] = {
		[SCAPH_IVSHMEM_ABSENT] = "it is not there",
		[SCAPH_IVSHMEM_ACCESS] = "QEMU's user or scaphd's cannot open it",
		[SCAPH_IVSHMEM_SIZE] = "it is not of the device's size",
		[SCAPH_IVSHMEM_FOREIGN] = "it is somebody else's, or no plain file: remove it",
	};
	const struct scaph_record *record = &session->record;
	enum scaph_ivshmem_state state;

	if (!record->user_known)
		return;
	state = scaph_ivshmem_file_look(record->shm_dir, session->domain.uuid, &record->user);
	if (state != SCAPH_IVSHMEM_GOOD)
		fault(health, "repair", "ivshmem file %s/scaph-%s: %s", record->shm_dir,
		      session->domain.uuid, words[state]);
}

void scaph_health_look_at_host(struct scaph_session *session, struct scaph_health *health)
{
	unsigned int set = session->record.transports;

	if (set & SCAPH_TRANSPORTS_FOLDER)
		look_at_mounts(session, health);
	if (set & SCAPH_TRANSPORT_IVSHMEM)
		look_at_file(session, health);
}

/* What its next start would have. */
static void look_at_definition(const struct scaph_session *session, const struct scaph_plan *plan,
			       struct scaph_health *health)
{
	char lacking[SCAPH_TRANSPORTS_TEXT_BYTES], *wanted = NULL;
	unsigned int set = session->record.transports;

	scaph_transports_format(set & ~plan->has, lacking);
	if (set & ~plan->has)
		fault(health, "enable", "its definition lacks the devices for %s", lacking);
	else if (scaph_definition_add(session->domain.definition, &plan->terms, set, &wanted) ||
		 strcmp(wanted, session->domain.definition) != 0)
		fault(health, "enable", "its memory is not shared, and virtiofs needs that");
	free(wanted);
	if (session->domain.saved)
		fault(health, "virsh managedsave-remove",
		      "it was saved: its next start is the machine of then");
}

/* Whether scaphd does its part. */
static void look_at_writer(const struct scaph_session *session, struct scaph_health *health)
{
	unsigned int set = session->record.transports;
	char path[PATH_MAX];
	struct stat st;

	if (!scaph_daemon_runs(session->options->daemon_dir)) {
		fault(health, "start scaphd", "no scaphd runs that would write its figures");
		return;
	}
	if (!(set & SCAPH_TRANSPORTS_FOLDER))
		return;
	snprintf(path, sizeof(path), "%s/%s/scaph.ring", session->record.share_root,
		 session->domain.uuid);
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		fault(health, "repair, and look at scaphd's log", "scaphd writes nothing to %s",
		      path);
	else if (st.st_size < LEAST_SEGMENT_BYTES)
		fault(health, "repair", "%s was cut", path);
}

/* What its guest has now. */
static void look_at_live(const struct scaph_session *session, const struct scaph_plan *plan,
			 struct scaph_health *health)
{
	char lacking[SCAPH_TRANSPORTS_TEXT_BYTES];
	unsigned int set = session->record.transports, has = 0;

	if (!session->domain.live || scaph_definition_has(session->domain.live, &plan->terms, &has))
		return;
	scaph_transports_format(set & ~has, lacking);
	if (set & ~has)
		fault(health, "virsh shutdown, then virsh start; or enable --live",
		      "it runs since before it was enabled, without %s", lacking);
	look_at_writer(session, health);
}

/* What Proxmox's file says of its next start; what its guest has now is in nobody's file. */
static void look_at_proxmox(const struct scaph_session *session, struct scaph_health *health)
{
	struct scaph_pve_config config;
	char enable[SCAPH_PVE_MEND_BYTES], mend[SCAPH_PVE_MEND_BYTES];
	const char *uuid = session->domain.uuid;
	bool exists = scaph_pve_enrolled_config(session->options, session->vmid, uuid, &config);

	scaph_pve_enrolled_mend(session, mend);
	snprintf(enable, sizeof(enable), "enable --proxmox %u", session->vmid);
	if (!exists)
		fault(health, mend, "it is no longer on this node");
	else if (session->record.state != SCAPH_RECORD_ENABLED_STATE)
		fault(health, mend, "scaph-vm was interrupted while %s it",
		      scaph_record_state_name(session->record.state));
	else if (strcmp(config.uuid, uuid) != 0)
		fault(health, "disable --proxmox, then enable --proxmox",
		      "its UUID is another than when it was enabled");
	else if (session->record.transports & SCAPH_TRANSPORT_VIRTIOFS && config.ours < 0)
		fault(health, enable, "its configuration lacks the device for virtiofs");
	if (exists && session->domain.active)
		look_at_writer(session, health);
}

static void look_at_profile(const struct scaph_session *session, struct scaph_health *health)
{
	const struct scaph_record *record = &session->record;
	enum scaph_vm_profile now =
		scaph_profile_file_look(record->profile_dir, session->domain.uuid);

	if (record->profile != SCAPH_VM_PROFILE_NONE && now != record->profile)
		fault(health, "enable", "%s/%s says %s, and its profile was to be %s",
		      record->profile_dir, session->domain.uuid,
		      now == SCAPH_VM_PROFILE_NONE ? "nothing" : scaph_vm_profile_word(now),
		      scaph_vm_profile_word(record->profile));
}

void scaph_health_look_at_domain(struct scaph_session *session, struct scaph_health *health)
{
	struct scaph_plan plan;

	if (session->record.state == SCAPH_RECORD_NONE) {
		fault(health, "enable", "it is not enabled");
		return;
	}
	if (session->vmid) {
		look_at_proxmox(session, health);
		return;
	}
	if (session->record.state != SCAPH_RECORD_ENABLED_STATE)
		fault(health, "repair", "scaph-vm was interrupted while %s it",
		      scaph_record_state_name(session->record.state));
	if (session->gone) {
		fault(health, "disable", "libvirt knows it no more");
		return;
	}
	look_at_profile(session, health);
	if (scaph_plan_init(&plan, &session->record, &session->domain) == 0) {
		look_at_definition(session, &plan, health);
		look_at_live(session, &plan, health);
	}
	scaph_plan_deinit(&plan);
}
