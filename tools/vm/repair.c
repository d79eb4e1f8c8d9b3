/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repair.c - scaph-vm repair
 *
 * A domain that is named is given a fresh share whatever state the old one is in. Without a name every enrolled
 * one is given what it lacks, without asking libvirt: after a reboot that must be done before libvirt starts
 * its guests.
 */
#include <errno.h>
#include <stdio.h>

#include "tools/vm/commands.h"
#include "tools/vm/complete.h"
#include "tools/vm/daemon.h"
#include "tools/vm/each.h"
#include "tools/vm/enrolment.h"
#include "tools/vm/ivshmem_file.h"
#include "tools/vm/pve_enrolled.h"
#include "tools/vm/say.h"
#include "tools/vm/share_mount.h"
#include "tools/vm/transport.h"

/* Both mounts anew, if either is not what it should be; whoever has the old ones open keeps them. */
static int refresh_mounts(struct scaph_session *session)
{
	const struct scaph_record *record = &session->record;
	const char *uuid = session->domain.uuid;
	int r;

	if (scaph_share_mount_look(record->share_root, uuid, SCAPH_MOUNT_SHARE) ==
		    SCAPH_MOUNT_GOOD &&
	    scaph_share_mount_look(record->export_root, uuid, SCAPH_MOUNT_EXPORT) ==
		    SCAPH_MOUNT_GOOD &&
	    scaph_share_mount_same(record->share_root, record->export_root, uuid))
		return scaph_share_mount_empty(record->share_root, uuid);
	r = scaph_share_mount_remove(record->export_root, uuid, true);
	if (r == 0)
		r = scaph_share_mount_remove(record->share_root, uuid, true);
	if (r == 0 && session->domain.active)
		scaph_vm_note("%s runs with the old share: it has the fresh one from its next "
			      "start on",
			      session->domain.shown);
	return r;
}

/* The one that a running QEMU has mapped stays; scaphd writes all of it anew. */
static int refresh_file(struct scaph_session *session)
{
	if (session->domain.active)
		return 0;
	return scaph_ivshmem_file_remove(session->record.shm_dir, session->domain.uuid);
}

static int refresh(struct scaph_session *session)
{
	const char *daemon = session->options->daemon_dir, *uuid = session->domain.uuid;
	unsigned int set = session->record.transports;
	int r = scaph_daemon_ask(daemon, "release", uuid), again;

	if (r == -ENOENT)
		r = 0;
	if (r == 0 && set & SCAPH_TRANSPORTS_FOLDER)
		r = refresh_mounts(session);
	if (r == 0 && set & SCAPH_TRANSPORT_IVSHMEM)
		r = refresh_file(session);
	if (r == 0)
		r = scaph_enrolment_build(session, set);
	again = scaph_daemon_ask(daemon, "reopen", uuid);
	return r || again == -ENOENT ? r : again;
}

static int repair(struct scaph_session *session)
{
	char mend[SCAPH_PVE_MEND_BYTES];
	int r;

	/* Its other half is in Proxmox's hands. */
	if (session->vmid &&
	    (session->record.state != SCAPH_RECORD_ENABLED_STATE || session->gone)) {
		scaph_vm_error("%s: %s; run scaph-vm %s", session->domain.shown,
			       session->gone ? "it is no longer on this node"
					     : "scaph-vm was interrupted",
			       scaph_pve_enrolled_mend(session, mend));
		return -EINVAL;
	}
	r = scaph_enrolment_mend(session);
	if (r)
		return r;
	if (session->record.state != SCAPH_RECORD_ENABLED_STATE || session->gone) {
		scaph_vm_error("%s: %s", session->domain.shown,
			       session->gone ? "libvirt knows it no more; run scaph-vm disable"
					     : "it is not enabled; run scaph-vm enable");
		return -EINVAL;
	}
	if (session->options->dry_run) {
		printf("%s: would be given a fresh share\n", session->domain.shown);
		return 0;
	}
	r = refresh(session);
	if (r == 0)
		r = scaph_record_save(session->store, session->domain.uuid, &session->record);
	if (r == 0)
		printf("%s: it has a fresh share\n", session->domain.shown);
	return r;
}

int scaph_vm_repair(const struct scaph_vm_options *options)
{
	struct scaph_session session;
	int r = scaph_session_open(&session, options, true, options->domain);

	if (r == 0 && !options->domain)
		r = scaph_each(&session, scaph_complete, NULL);
	else if (r == 0)
		r = scaph_session_turn(&session, options->domain);
	if (r == 0 && options->domain)
		r = repair(&session);
	scaph_session_close(&session);
	return r;
}
