/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pve_machine.c - files of Proxmox, and the store
 */
#include "tools/vm/pve_machine.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/vm/pve_enrolled.h"
#include "tools/vm/say.h"
#include "tools/vm/store.h"

#define VMID_FIRST 100U
#define VMID_LAST 999999999U

static int take_vmid(const char *text, uint32_t *ret_vmid)
{
	char *end;
	unsigned long vmid = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || vmid < VMID_FIRST || vmid > VMID_LAST) {
		scaph_vm_error("%s: with --proxmox the machine is named by its VMID, 100 or more; "
			       "qm list shows them",
			       text);
		return -EINVAL;
	}
	*ret_vmid = (uint32_t)vmid;
	return 0;
}

/* As Proxmox names it: the host's name without its domain. */
static int find_node(char ret_node[SCAPH_PVE_NODE_BYTES])
{
	char name[HOST_NAME_MAX + 1] = "";

	gethostname(name, sizeof(name) - 1);
	name[strcspn(name, ".")] = '\0';
	if (!*name || strlen(name) >= SCAPH_PVE_NODE_BYTES || strpbrk(name, ",;=() \t/")) {
		scaph_vm_error("the host's name is none that Proxmox takes for a node; see "
			       "hostname");
		return -EINVAL;
	}
	snprintf(ret_node, SCAPH_PVE_NODE_BYTES, "%.*s", SCAPH_PVE_NODE_BYTES - 1, name);
	return 0;
}

void scaph_pve_machine_look(struct scaph_pve_machine *machine)
{
	const struct scaph_session *session = &machine->session;
	const char *dir = session->options->pve_dir;
	char path[PATH_MAX], *text;

	machine->exists = scaph_pve_enrolled_config(session->options, machine->vmid,
						    session->domain.uuid, &machine->config);
	text = scaph_pve_read(dir, "mapping/directory.cfg");
	snprintf(path, sizeof(path), "%s/%s",
		 session->record.export_root ? session->record.export_root
					     : session->options->export_root,
		 session->domain.uuid);
	machine->mapping =
		scaph_pve_mapping_look(text ? text : "", machine->id, machine->node, path);
	free(text);
}

/* Under which UUID it was enabled, or "". */
static void find_enrolled(const struct scaph_pve_machine *machine, char *ret_uuid)
{
	char uuid[SCAPH_UUID_TEXT_BYTES] = "";
	int store = machine->session.store;

	*ret_uuid = '\0';
	while (store >= 0 && !*ret_uuid && scaph_store_next(store, uuid)) {
		if (scaph_pve_enrolled_vmid(store, uuid) == machine->vmid)
			memcpy(ret_uuid, uuid, sizeof(uuid));
	}
}

static int load_record(struct scaph_pve_machine *machine)
{
	struct scaph_session *session = &machine->session;
	int r = 0;

	if (*session->domain.uuid)
		r = scaph_record_load(session->store, session->domain.uuid, &session->record);
	if (r == 0 && session->record.state == SCAPH_RECORD_NONE)
		r = scaph_record_init(&session->record, session->options, session->domain.shown);
	return r;
}

static int find(struct scaph_pve_machine *machine)
{
	struct scaph_session *session = &machine->session;
	char shown[4 * SCAPH_NAME_BYTES];

	find_enrolled(machine, session->domain.uuid);
	scaph_pve_machine_look(machine);
	if (!machine->exists && !*session->domain.uuid) {
		scaph_vm_error("%" PRIu32 ": no such machine on this node; qm list shows them",
			       machine->vmid);
		return -ENOENT;
	}
	if (!*session->domain.uuid)
		snprintf(session->domain.uuid, sizeof(session->domain.uuid), "%s",
			 machine->config.uuid);
	scaph_name_escape(machine->config.name, shown, sizeof(shown));
	if (asprintf(&session->domain.shown, "%" PRIu32 "%s%s%s", machine->vmid, *shown ? " (" : "",
		     shown, *shown ? ")" : "") < 0) {
		session->domain.shown = NULL;
		return -ENOMEM;
	}
	return load_record(machine);
}

int scaph_pve_machine_open(struct scaph_pve_machine *machine,
			   const struct scaph_vm_options *options, bool change)
{
	int r;

	*machine = (struct scaph_pve_machine){ .session.store = -1 };
	r = take_vmid(options->domain, &machine->vmid);
	if (r == 0)
		r = find_node(machine->node);
	if (r == 0)
		r = scaph_session_open(&machine->session, options, change, false);
	if (r)
		return r;
	scaph_pve_mapping_id(machine->vmid, machine->id);
	r = find(machine);
	if (r)
		return r;
	machine->session.domain.active = scaph_pve_enrolled_runs(options, machine->vmid);
	/* Where its mapping should lead is known by now. */
	scaph_pve_machine_look(machine);
	return 0;
}

void scaph_pve_machine_close(struct scaph_pve_machine *machine)
{
	scaph_session_close(&machine->session);
}

int scaph_pve_machine_note(struct scaph_pve_machine *machine, enum scaph_record_state state)
{
	struct scaph_session *session = &machine->session;
	const char *uuid = session->domain.uuid;
	char vmid[16];
	int r;

	session->record.state = state;
	snprintf(vmid, sizeof(vmid), "%" PRIu32 "\n", machine->vmid);
	r = scaph_store_put(session->store, uuid, SCAPH_PVE_RECORD, vmid);
	return r ? r : scaph_record_save(session->store, uuid, &session->record);
}
