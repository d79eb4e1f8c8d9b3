/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_process.h - which process a domain of libvirt is
 */
#ifndef SCAPH_PRODUCER_QEMU_PROCESS_H
#define SCAPH_PRODUCER_QEMU_PROCESS_H

#include <sys/types.h>

/**
 * scaph_qemu_process_find() - the process that libvirt wrote down for a domain, if it is that
 * @run_dir: libvirt's folder of PID files
 * @name:    of the domain: any bytes
 * @uuid:    as text: what the process's command line has to say
 *
 * Return:   the PID, or 0: there is none (yet).
 */
pid_t scaph_qemu_process_find(const char *run_dir, const char *name, const char *uuid);

#endif
