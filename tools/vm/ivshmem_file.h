/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ivshmem_file.h - the file that a shared memory device maps: DIR/scaph-UUID
 *
 * Exactly of the device's size, and QEMU's user must be able to open it, or the domain does not start. Where there is none
 * QEMU makes one.
 * Never cut: that kills a QEMU that has it mapped. The folder is everybody's to write to: a
 * file that is there and belongs to somebody else is refused.
 */
#ifndef SCAPH_VM_IVSHMEM_FILE_H
#define SCAPH_VM_IVSHMEM_FILE_H

#include "tools/vm/qemu_user.h"

enum scaph_ivshmem_state {
	SCAPH_IVSHMEM_ABSENT,
	SCAPH_IVSHMEM_GOOD,
	SCAPH_IVSHMEM_ACCESS, /* owner or mode: QEMU cannot open it */
	SCAPH_IVSHMEM_SIZE,
	SCAPH_IVSHMEM_FOREIGN, /* of a stranger, a link, or no plain file */
};

enum scaph_ivshmem_state scaph_ivshmem_file_look(const char *dir, const char *uuid,
						 const struct scaph_qemu_user *user);

/* Make it, or make it right: 0, or a negative errno after one line. */
int scaph_ivshmem_file_make(const char *dir, const char *uuid, const struct scaph_qemu_user *user);

/* 0 also if there is none; or a negative errno after one line. */
int scaph_ivshmem_file_remove(const char *dir, const char *uuid);

#endif
