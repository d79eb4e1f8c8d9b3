/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.h - one line on standard error: what is wrong, where, what mends it
 */
#ifndef SCAPH_VM_SAY_H
#define SCAPH_VM_SAY_H

__attribute__((format(printf, 1, 2))) void scaph_vm_error(const char *format, ...);

/* What is worth knowing and stops nothing. */
__attribute__((format(printf, 1, 2))) void scaph_vm_note(const char *format, ...);

#endif
