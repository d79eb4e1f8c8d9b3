/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon_user.h - who scaphd runs as, and what that user must be let into
 *
 * The service runs as a user of its own, without capabilities. A share belongs to that user; a file behind a shared memory device
 * is QEMU's, and lets it in by an access list, so that neither has to be in a group that opens more. Without such a user scaphd
 * runs as root, who needs nothing.
 *
 * Source: acl(5), posix_acl in tmpfs.
 */
#ifndef SCAPH_VM_DAEMON_USER_H
#define SCAPH_VM_DAEMON_USER_H

#include <stdbool.h>
#include <sys/types.h>

#define SCAPH_DAEMON_USER "scaphd"

/* The user by that name, or root. */
uid_t scaph_daemon_user(void);

/* Let it read and write a file of mode 0660: 0, also where nothing has to be done, or a negative errno. */
int scaph_daemon_user_let_in(int fd);

/* Whether it is let in there, by its mode 0660 and its access list alone. */
bool scaph_daemon_user_is_in(const char *path);

#endif
