/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands.h - what scaph-vm can be told; one file each
 *
 * Each returns 0, or a negative errno after one line on standard error.
 */
#ifndef SCAPH_VM_COMMANDS_H
#define SCAPH_VM_COMMANDS_H

#include "tools/vm/options.h"

int scaph_vm_enable(const struct scaph_vm_options *options);
int scaph_vm_disable(const struct scaph_vm_options *options);
int scaph_vm_list(const struct scaph_vm_options *options);
int scaph_vm_check(const struct scaph_vm_options *options);
int scaph_vm_repair(const struct scaph_vm_options *options);

#endif
