/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_argv.h - what a QEMU's command line says of its machine
 *
 * Pure: bytes in, a struct out. The bytes are a process's own and may be anything.
 */
#ifndef SCAPH_PRODUCER_QEMU_ARGV_H
#define SCAPH_PRODUCER_QEMU_ARGV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/layout.h"

struct scaph_qemu_argv {
	char name[SCAPH_NAME_BYTES]; /* "": none was given */
	bool name_cut; /* it was longer, so it is nobody's name */
	bool has_uuid;
	uint8_t uuid[SCAPH_UUID_BYTES]; /* of -uuid, else of -smbios type=1 */
	uint32_t vmid; /* of Proxmox: -id; 0: none */
	uint32_t vcpus; /* at least 1 */
	bool daemonize;
	bool shmem; /* maps SHM_DIR/scaph-UUID */
	bool pve_shmem; /* maps SHM_DIR/pve-shm-scaph-UUID, as Proxmox names it */
};

/**
 * scaph_qemu_argv_parse() - read a command line as /proc/PID/cmdline has it
 * @bytes:   words, each ended by a NUL; the last one may lack it
 * @shm_dir: where ivshmem files lie
 *
 * What QEMU takes last of an option that is repeated holds here too.
 *
 * Source:   qemu(1); QEMU's util/qemu-option.c, get_opt_value(), for the doubled comma.
 */
void scaph_qemu_argv_parse(const char *bytes, size_t length, const char *shm_dir,
			   struct scaph_qemu_argv *ret_argv);

#endif
