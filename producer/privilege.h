/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privilege.h - giving up every capability once all is open
 */
#ifndef SCAPH_PRODUCER_PRIVILEGE_H
#define SCAPH_PRODUCER_PRIVILEGE_H

/**
 * scaph_privilege_drop() - drop all capabilities of the calling thread, for good
 *
 * Capabilities are the thread's own: this comes before any other thread is started, and those
 * inherit having none.
 * Return:   0 or a negative errno.
 */
int scaph_privilege_drop(void);

#endif
