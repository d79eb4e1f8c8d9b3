/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privilege.c - the only user of libcap-ng
 */
#include "producer/process/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>

/* An ivshmem file is QEMU's user's; a segment may be given a group. */
static const unsigned int opening[] = { CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER };
#define OPENING (sizeof(opening) / sizeof(opening[0]))

/* Which of them this thread has now: nothing is gained by keeping. */
static void keep(bool *ret_has)
{
	for (unsigned int i = 0; i < OPENING; i++)
		ret_has[i] = capng_have_capability(CAPNG_EFFECTIVE, opening[i]);
}

int scaph_privilege_drop(bool keep_opening)
{
	bool has[OPENING] = {}, any = false;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (capng_get_caps_process() < 0)
		return -EPERM;
	/*
	 * The bounding set first: that needs a capability itself. Without it no_new_privs alone
	 * keeps them away.
	 */
	if (keep_opening)
		keep(has);
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) {
		capng_clear(CAPNG_SELECT_BOUNDS);
		if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
			return -EPERM;
	}
	capng_clear(CAPNG_SELECT_BOTH);
	for (unsigned int i = 0; i < OPENING; i++) {
		any |= has[i];
		if (has[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, opening[i]);
	}
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return -EPERM;
	if (!any && capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		return -EPERM;
	return 0;
}
