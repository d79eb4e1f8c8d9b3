/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_process.h - which process is a domain's QEMU
 *
 * libvirt's PID file says it, by the domain's name; but a file may be an old one and its number
 * somebody else's by now, so what the process says of itself decides. Any thread.
 */
#ifndef SCAPH_PRODUCER_QEMU_PROCESS_H
#define SCAPH_PRODUCER_QEMU_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * scaph_qemu_process_find() - read NAME.pid and prove it
 * @run_dir: where libvirt keeps these files
 * @name:    the domain's, any bytes
 * @uuid:    the domain's, as text
 * @ret_pid: set only on 0
 *
 * Return:   0; -ENOENT or another errno: no such file (yet), or it cannot be read; -ESRCH: its process
 *           is gone or another one.
 */
int scaph_qemu_process_find(const char *run_dir, const char *name, const char *uuid,
			    pid_t *ret_pid);

/* Whether a process says of itself that it is this UUID's: "-uuid", UUID. */
bool scaph_qemu_process_is(pid_t pid, const char *uuid);

#endif
