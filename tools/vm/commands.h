/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands.h - what scaph-vm can be told; one file each
 *
 * Each returns 0, or a negative errno after one line on standard error.
 */
#ifndef SCAPH_VM_COMMANDS_H
#define SCAPH_VM_COMMANDS_H

#include "tools/vm/options.h"
#include "tools/vm/session.h"

int scaph_vm_enable(const struct scaph_vm_options *options);
int scaph_vm_disable(const struct scaph_vm_options *options);
int scaph_vm_list(const struct scaph_vm_options *options);
int scaph_vm_check(const struct scaph_vm_options *options);
int scaph_vm_auto(const struct scaph_vm_options *options);
int scaph_vm_prepare(const struct scaph_vm_options *options);
int scaph_vm_repair(const struct scaph_vm_options *options);

/* Enable the domain that a session is at, as its options say, without a word of it; mended before. */
int scaph_vm_enable_quietly(struct scaph_session *session);

#endif
