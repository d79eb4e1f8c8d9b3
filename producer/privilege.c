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
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}
