/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pve_machine.h - one machine of Proxmox VE, by its VMID, and what is known of it here
 *
 * Its enrolment lies in the same store as libvirt's domains, by UUID, with a text that names its VMID: so
 * scaph-vm repair mounts its share again after a reboot, without asking anybody.
 */
#ifndef SCAPH_VM_PVE_MACHINE_H
#define SCAPH_VM_PVE_MACHINE_H

#include "tools/vm/pve_config.h"
#include "tools/vm/session.h"

#define SCAPH_PVE_NODE_BYTES 64

struct scaph_pve_machine {
	struct scaph_session session; /* without libvirt; the domain's UUID "" if it has none */
	uint32_t vmid;
	char id[SCAPH_PVE_ID_BYTES]; /* of our mapping */
	char node[SCAPH_PVE_NODE_BYTES];
	bool exists; /* its file is there */
	struct scaph_pve_config config;
	enum scaph_pve_mapping mapping; /* what our mapping's name leads to */
};

/**
 * scaph_pve_machine_open() - the machine that the options name
 * @change: something is to be changed
 *
 * Return:   0, or a negative errno after one line; scaph_pve_machine_close() either way.
 */
int scaph_pve_machine_open(struct scaph_pve_machine *machine,
			   const struct scaph_vm_options *options, bool change);
void scaph_pve_machine_close(struct scaph_pve_machine *machine);

/* Read Proxmox's files again. */
void scaph_pve_machine_look(struct scaph_pve_machine *machine);

/* Write its record with a state, and its VMID beside: 0, or a negative errno after one line. */
int scaph_pve_machine_note(struct scaph_pve_machine *machine, enum scaph_record_state state);

#endif
