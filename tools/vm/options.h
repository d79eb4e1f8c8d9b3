/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - the command line of scaph-vm
 */
#ifndef SCAPH_VM_OPTIONS_H
#define SCAPH_VM_OPTIONS_H

#include <stdbool.h>

#include "tools/vm/profile_file.h"

struct scaph_vm_options {
	const char *command; /* one of those that were given to scaph_vm_options_read() */
	const char *domain; /* NULL: none was named */
	const char *uri;
	unsigned int transports; /* 0: none was named */
	enum scaph_vm_profile profile; /* NONE: none was named */
	bool live; /* what runs is changed as well */
	bool yes, dry_run, json;
	bool proxmox; /* the domain is a machine of Proxmox, named by its VMID */
	const char *settings; /* file */
	unsigned int patience_ms; /* with another scaph-vm at work; no option */
	const char *share_root, *export_root, *state_dir, *shm_dir, *daemon_dir, *profile_dir;
	const char *pve_dir, *qemu_server_dir; /* where Proxmox keeps its files */
};

/* A command: NULL as name ends a list of them. */
struct scaph_vm_command {
	const char *name, *argument, *help;
	int (*run)(const struct scaph_vm_options *options); /* an exit status */
};

enum { SCAPH_VM_OPTIONS_DONE = 1 }; /* help or version was shown */

/**
 * scaph_vm_options_read() - read the command line
 * @ret_command: the command that was named; set only on 0
 *
 * Return:   0, SCAPH_VM_OPTIONS_DONE, or -EINVAL after one line.
 */
int scaph_vm_options_read(int argc, char **argv, const struct scaph_vm_command *commands,
			  const struct scaph_vm_command **ret_command,
			  struct scaph_vm_options *ret_options);

#endif
