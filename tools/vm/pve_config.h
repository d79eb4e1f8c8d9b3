/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pve_config.h - what Proxmox VE has written of one machine, and of the folders that machines are given
 *
 * Pure: texts in, structs out. Only read: every change is made by Proxmox's own commands.
 *
 * Source: qm.conf(5); proxmox/qemu-server, parse_vm_config(); pve-guest-common, PVE::Mapping::Dir.
 */
#ifndef SCAPH_VM_PVE_CONFIG_H
#define SCAPH_VM_PVE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/names.h"

#define SCAPH_PVE_VIRTIOFS_MAX 10 /* devices virtiofs0 to virtiofs9 */
#define SCAPH_PVE_ID_BYTES 32 /* of a mapping: "scaph-100" */

struct scaph_pve_config {
	char uuid[SCAPH_UUID_TEXT_BYTES]; /* of smbios1; "": none that is a UUID */
	char name[SCAPH_NAME_BYTES]; /* "": none */
	bool is_template, is_locked;
	uint32_t virtiofs; /* bit N: virtiofsN is taken */
	int ours; /* N of the one that is given our folder, now or from the next start; -1 */
	bool ivshmem, ivshmem_ours;
	bool hookscript;
};

/* "scaph-VMID": our folder's mapping, and by that the tag that the guest mounts. */
void scaph_pve_mapping_id(uint32_t vmid, char ret_id[SCAPH_PVE_ID_BYTES]);

/*
 * VMID.conf, as it is from the next start on: what is pending counts, snapshots do not. @uuid: whose
 * ivshmem device is ours; "": what the file itself says.
 */
void scaph_pve_config_parse(const char *text, uint32_t vmid, const char *uuid,
			    struct scaph_pve_config *ret_config);

enum scaph_pve_mapping { SCAPH_PVE_MAPPING_NONE, SCAPH_PVE_MAPPING_OURS, SCAPH_PVE_MAPPING_OTHER };

/* mapping/directory.cfg: what @id leads to on @node. OTHER: another folder, or other nodes only. */
enum scaph_pve_mapping scaph_pve_mapping_look(const char *text, const char *id, const char *node,
					      const char *path);

#endif
