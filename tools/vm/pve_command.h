/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pve_command.h - Proxmox's own commands: qm and pvesh, shown and run, without a shell between
 */
#ifndef SCAPH_VM_PVE_COMMAND_H
#define SCAPH_VM_PVE_COMMAND_H

#include <stddef.h>

#define SCAPH_PVE_WORDS_MAX 12

struct scaph_pve_command {
	char *word[SCAPH_PVE_WORDS_MAX]; /* ended by NULL; its own */
};

/* @words: ended by NULL; each is copied. 0 or -ENOMEM. */
int scaph_pve_command_init(struct scaph_pve_command *command, const char *const *words);
void scaph_pve_command_deinit(struct scaph_pve_command *command);

/* As a line that a shell would take. */
void scaph_pve_command_show(const struct scaph_pve_command *command);

/* 0, or a negative errno after one line. */
int scaph_pve_command_run(const struct scaph_pve_command *command);

#endif
