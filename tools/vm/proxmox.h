/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxmox.h - scaph-vm enable and disable with --proxmox
 *
 * The share is made as for a domain of libvirt; the machine's configuration is Proxmox's, and is changed by
 * its own commands alone, which are shown before. Each step looks at what is there: an interrupted run
 * is ended by the next enable, or undone by disable.
 */
#ifndef SCAPH_VM_PROXMOX_H
#define SCAPH_VM_PROXMOX_H

#include "tools/vm/options.h"

/* 0, or a negative errno after one line. */
int scaph_proxmox_enable(const struct scaph_vm_options *options);
int scaph_proxmox_disable(const struct scaph_vm_options *options);

#endif
