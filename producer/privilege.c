/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privilege.c - the only user of libcap-ng
 */
#include "producer/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>

int scaph_privilege_drop(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (capng_get_caps_process() < 0)
		return -EPERM;
	/*
	 * The bounding set first: that needs a capability itself. Without it no_new_privs alone
	 * keeps them away.
	 */
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) {
		capng_clear(CAPNG_SELECT_BOUNDS);
		if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
			return -EPERM;
	}
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return -EPERM;
	if (capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		return -EPERM;
	return 0;
}
