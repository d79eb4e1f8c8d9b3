/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pve_enrolled.h - which of the enrolled domains are Proxmox's, and what its files say of them now
 *
 * Beside the record of such a one lies its VMID. libvirt knows nothing of it, and is not asked.
 */
#ifndef SCAPH_VM_PVE_ENROLLED_H
#define SCAPH_VM_PVE_ENROLLED_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/vm/pve_config.h"
#include "tools/vm/session.h"

#define SCAPH_PVE_MEND_BYTES 40
#define SCAPH_PVE_RECORD "proxmox" /* name of the text in the store */

/* Its VMID, or 0: it is none of Proxmox's, or not enrolled. @uuid may be any words. */
uint32_t scaph_pve_enrolled_vmid(int store, const char *uuid);

/*
 * Whether libvirt has to be asked for what the options name: a domain, or all that are enrolled. Not if each of these is
 * Proxmox's; where there are none at all it has to.
 */
bool scaph_pve_enrolled_leaves(int store, const char *domain);

/* Its configuration file; false: there is none on this node. @uuid: as scaph_pve_config_parse(). */
bool scaph_pve_enrolled_config(const struct scaph_vm_options *options, uint32_t vmid,
			       const char *uuid, struct scaph_pve_config *ret_config);
bool scaph_pve_enrolled_runs(const struct scaph_vm_options *options, uint32_t vmid);

/* What goes on from where such a one is left, "enable --proxmox 100" or disable; returns @ret_mend. */
const char *scaph_pve_enrolled_mend(const struct scaph_session *session,
				    char ret_mend[SCAPH_PVE_MEND_BYTES]);

/* A file of Proxmox's, to be freed; NULL: there is none, or it cannot be read. */
char *scaph_pve_read(const char *dir, const char *name);

#endif
