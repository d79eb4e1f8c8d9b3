/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privilege.h - giving up capabilities once what needs them is done
 *
 * Capabilities are each thread's own. Counters are opened before; what remains to do is to open the
 * segments of domains that come later, which is the main thread's: it keeps what that needs if such
 * domains can come. Every other thread has none.
 */
#ifndef SCAPH_PRODUCER_PRIVILEGE_H
#define SCAPH_PRODUCER_PRIVILEGE_H

#include <stdbool.h>

/**
 * scaph_privilege_drop() - drop the capabilities of the calling thread, for good
 * @keep_opening: but those that open, and give modes and groups to, files of others
 *
 * Return:   0 or a negative errno.
 */
int scaph_privilege_drop(bool keep_opening);

#endif
