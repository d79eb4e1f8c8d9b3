/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c - opening and closing one run
 */
#include "tools/vm/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/vm/pve_enrolled.h"
#include "tools/vm/say.h"
#include "tools/vm/store.h"

int scaph_session_open(struct scaph_session *session, const struct scaph_vm_options *options,
		       bool change, bool libvirt)
{
	*session = (struct scaph_session){ .options = options };
	session->store = scaph_store_open(options->state_dir, change && !options->dry_run,
					  options->patience_ms);
	if (session->store < 0 && session->store != SCAPH_STORE_ABSENT)
		return -EIO;
	if (!libvirt || !scaph_pve_enrolled_leaves(session->store, options->domain))
		return 0;
	return scaph_virt_open(options->uri, &session->virt);
}

static void leave_domain(struct scaph_session *session)
{
	scaph_virt_domain_deinit(&session->domain);
	scaph_record_deinit(&session->record);
	session->gone = false;
	session->vmid = 0;
}

void scaph_session_close(struct scaph_session *session)
{
	leave_domain(session);
	scaph_virt_close(session->virt);
	if (session->store >= 0)
		close(session->store);
	session->store = -1;
	session->virt = NULL;
}

static int load(struct scaph_session *session)
{
	int r;

	scaph_record_deinit(&session->record);
	r = scaph_record_load(session->store, session->domain.uuid, &session->record);
	if (r == 0 && session->record.state == SCAPH_RECORD_NONE)
		r = scaph_record_init(&session->record, session->options, session->domain.shown);
	return r;
}

/* How often enrolled domains are called so, and the last of them. */
static unsigned int count_enrolled(struct scaph_session *session, const char *shown)
{
	char uuid[SCAPH_UUID_TEXT_BYTES] = "";
	unsigned int found = 0;

	while (session->store >= 0 && scaph_store_next(session->store, uuid)) {
		struct scaph_record record;

		if (scaph_record_load(session->store, uuid, &record))
			continue;
		if (record.state != SCAPH_RECORD_NONE && strcmp(record.shown, shown) == 0) {
			found++;
			memcpy(session->domain.uuid, uuid, sizeof(uuid));
			free(session->domain.shown);
			session->domain.shown = strdup(record.shown);
		}
		scaph_record_deinit(&record);
	}
	return found;
}

bool scaph_session_knows(const struct scaph_session *session, const char *uuid)
{
	struct scaph_record record;
	bool knows;

	if (session->store < 0 || scaph_record_load(session->store, uuid, &record))
		return false;
	knows = record.state != SCAPH_RECORD_NONE;
	scaph_record_deinit(&record);
	return knows;
}

/* Without a look at the others, of which there may be many. */
static bool find_by_uuid(struct scaph_session *session, const char *words)
{
	struct scaph_record record;
	uint8_t uuid[SCAPH_UUID_BYTES];

	if (scaph_uuid_parse(words, uuid))
		return false;
	scaph_uuid_format(uuid, session->domain.uuid);
	if (!scaph_session_knows(session, session->domain.uuid) ||
	    scaph_record_load(session->store, session->domain.uuid, &record))
		return false;
	free(session->domain.shown);
	session->domain.shown = strdup(record.shown);
	scaph_record_deinit(&record);
	return true;
}

/* One that libvirt does not know, or was not asked for, by its UUID or else the name it had. */
static int find_enrolled(struct scaph_session *session, const char *shown)
{
	unsigned int found = find_by_uuid(session, shown);

	if (!found)
		found = count_enrolled(session, shown);
	if (found > 1) {
		scaph_vm_error("%s: several enabled domains had that name; give the UUID that "
			       "scaph-vm list shows",
			       shown);
		return -EINVAL;
	}
	session->gone = found && session->virt;
	return found && session->domain.shown ? 0 : -ENOENT;
}

/* libvirt's word if it is libvirt's; of Proxmox's that of its files. */
static int find(struct scaph_session *session, const char *words, const char *shown)
{
	struct scaph_pve_config config;
	int r = -ENOENT;

	session->vmid = scaph_pve_enrolled_vmid(session->store, words);
	if (session->virt && !session->vmid)
		r = scaph_virt_find(session->virt, words, &session->domain);
	if (r == -ENOENT)
		r = find_enrolled(session, shown);
	if (r || !session->vmid)
		return r;
	session->gone = !scaph_pve_enrolled_config(session->options, session->vmid,
						   session->domain.uuid, &config);
	session->domain.active = scaph_pve_enrolled_runs(session->options, session->vmid);
	return 0;
}

int scaph_session_turn(struct scaph_session *session, const char *words)
{
	char *shown = malloc(4 * strlen(words) + 1);
	int r;

	leave_domain(session);
	if (!shown)
		return -ENOMEM;
	scaph_name_escape(words, shown, 4 * strlen(words) + 1);
	r = find(session, words, shown);
	if (r == -ENOENT)
		scaph_vm_error("%s: no such domain; virsh list --all shows them", shown);
	free(shown);
	return r ? r : load(session);
}

int scaph_session_look(struct scaph_session *session)
{
	int r = session->gone ? 0 : scaph_virt_look(session->virt, &session->domain);

	return r ? r : load(session);
}
