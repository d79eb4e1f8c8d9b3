/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pve_enrolled.c - the store's text, and files of Proxmox
 */
#include "tools/vm/pve_enrolled.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/vm/store.h"

#define TEXT_MAX (1U << 20)

uint32_t scaph_pve_enrolled_vmid(int store, const char *uuid)
{
	char shown[SCAPH_UUID_TEXT_BYTES], *text;
	uint8_t bytes[SCAPH_UUID_BYTES];
	unsigned long vmid;

	if (store < 0 || scaph_uuid_parse(uuid, bytes))
		return 0;
	scaph_uuid_format(bytes, shown);
	text = scaph_store_get(store, shown, SCAPH_PVE_RECORD);
	vmid = text ? strtoul(text, NULL, 10) : 0;
	free(text);
	return vmid <= UINT32_MAX ? (uint32_t)vmid : 0;
}

bool scaph_pve_enrolled_leaves(int store, const char *domain)
{
	char uuid[SCAPH_UUID_TEXT_BYTES] = "";
	bool any = false;

	if (domain)
		return !scaph_pve_enrolled_vmid(store, domain);
	while (store >= 0 && scaph_store_next(store, uuid)) {
		any = true;
		if (!scaph_pve_enrolled_vmid(store, uuid))
			return true;
	}
	return !any;
}

char *scaph_pve_read(const char *dir, const char *name)
{
	char path[PATH_MAX], *text = malloc(TEXT_MAX);
	size_t got;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = text ? fopen(path, "re") : NULL;
	if (!file) {
		free(text);
		return NULL;
	}
	got = fread(text, 1, TEXT_MAX - 1, file);
	text[got] = '\0';
	fclose(file);
	return text;
}

bool scaph_pve_enrolled_config(const struct scaph_vm_options *options, uint32_t vmid,
			       const char *uuid, struct scaph_pve_config *ret_config)
{
	char name[64], *text;
	bool exists;

	snprintf(name, sizeof(name), "qemu-server/%" PRIu32 ".conf", vmid);
	text = scaph_pve_read(options->pve_dir, name);
	exists = text;
	scaph_pve_config_parse(text ? text : "", vmid, uuid, ret_config);
	free(text);
	return exists;
}

bool scaph_pve_enrolled_runs(const struct scaph_vm_options *options, uint32_t vmid)
{
	char name[32], *text;
	long pid;

	snprintf(name, sizeof(name), "%" PRIu32 ".pid", vmid);
	text = scaph_pve_read(options->qemu_server_dir, name);
	pid = text ? strtol(text, NULL, 10) : 0;
	free(text);
	return pid > 0 && pid <= INT32_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

const char *scaph_pve_enrolled_mend(const struct scaph_session *session,
				    char ret_mend[SCAPH_PVE_MEND_BYTES])
{
	bool away = session->gone || session->record.state == SCAPH_RECORD_DISABLING;

	snprintf(ret_mend, SCAPH_PVE_MEND_BYTES, "%s --proxmox %" PRIu32,
		 away ? "disable" : "enable", session->vmid);
	return ret_mend;
}
