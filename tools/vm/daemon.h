/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h - what scaph-vm asks of a running scaphd, over its control socket
 *
 * One packet asked, one answered; see CONTROL SOCKET in scaphd(8).
 */
#ifndef SCAPH_VM_DAEMON_H
#define SCAPH_VM_DAEMON_H

#include <stdbool.h>

/**
 * scaph_daemon_ask() - one request about one domain
 * @dir:  of the daemon's state, in which its socket lies
 * @verb: "release": let go of the domain's share and ivshmem file; "reopen": look at them anew
 *
 * Context:  waits for at most two seconds.
 * Return:   0: done; -ENOENT: no daemon runs there; or another negative errno after one line.
 */
int scaph_daemon_ask(const char *dir, const char *verb, const char *uuid);

/* Whether one runs there and takes requests. */
bool scaph_daemon_runs(const char *dir);

#endif
