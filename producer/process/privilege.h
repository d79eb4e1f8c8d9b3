/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privilege.h - giving up capabilities once what needs them is done
 *
 * Capabilities are each thread's own. Counters are opened before; what remains to do is to open the
 * segments of domains that come later, which is the main thread's: it keeps what that needs if such
 * domains can come. The thread that looks for machines keeps what tells
 * their executables. Every other thread has none.
 */
#ifndef SCAPH_PRODUCER_PRIVILEGE_H
#define SCAPH_PRODUCER_PRIVILEGE_H

enum scaph_privilege_keep {
	SCAPH_KEEP_NOTHING = 0,
	SCAPH_KEEP_OPENING = 1, /* those that open, and give modes and groups to, files of others */
	SCAPH_KEEP_LOOKING = 2, /* that by which the executable of others' processes is known */
};

/**
 * scaph_privilege_drop() - drop the capabilities of the calling thread, for good
 * @keep: but those that are named, as far as it has them: bits of enum scaph_privilege_keep
 *
 * Return:   0 or a negative errno.
 */
int scaph_privilege_drop(unsigned int keep);

#endif
