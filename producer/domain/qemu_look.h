/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_look.h - whether a process is a virtual machine, asked of /proc alone
 *
 * A machine is a process whose executable is a QEMU's, whose user is trusted, and which says a name or a
 * UUID. A command line is whatever its process wrote: only of a trusted user's is it believed, for
 * else anybody could say another's UUID and take part in its share. Any thread.
 */
#ifndef SCAPH_PRODUCER_QEMU_LOOK_H
#define SCAPH_PRODUCER_QEMU_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "producer/domain/qemu_argv.h"

struct scaph_qemu_users {
	uid_t *user;
	uint32_t count;
};

struct scaph_qemu_find {
	pid_t pid, parent;
	uint64_t birth_ticks;
	uid_t user; /* its real one */
	bool trusted; /* of all its users; argv is read of no other */
	struct scaph_qemu_argv argv;
};

/*
 * Whether an executable is a QEMU's: kvm, qemu-kvm or qemu-system-* in /usr/bin, /usr/libexec or
 * /usr/local/bin, also one that an upgrade has replaced. @exe: of /proc/PID/exe
 */
bool scaph_qemu_executable(const char *exe);

/**
 * scaph_qemu_look_is() - the cheap part: one system call
 * @proc_fd: of the folder where proc is mounted
 * @pid:     as text
 *
 * Return:   1: its executable is a QEMU's; 0: not, or the process is gone; -EACCES: it may not be known.
 */
int scaph_qemu_look_is(int proc_fd, const char *pid);

/* Whether one whose executable may not be known is called as a QEMU is. */
bool scaph_qemu_look_seems(int proc_fd, const char *pid);

/**
 * scaph_qemu_look() - all of it, of one process throughout
 * @ret_find: set only on 0
 *
 * Return:   0; -ESRCH: it is gone, or no QEMU; or another negative errno.
 */
int scaph_qemu_look(int proc_fd, const char *pid, const struct scaph_qemu_users *users,
		    const char *shm_dir, struct scaph_qemu_find *ret_find);

/* The start of a process alone, to know one again: 0 or a negative errno. */
int scaph_qemu_look_birth(int proc_fd, const char *pid, uint64_t *ret_ticks);

#endif
