/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privilege.c - the only user of libcap-ng
 */
#include "producer/process/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/prctl.h>

static const struct {
	unsigned int keep, capability;
} kept[] = {
	/* An ivshmem file is QEMU's user's; a segment may be given a group. */
	{ SCAPH_KEEP_OPENING, CAP_DAC_OVERRIDE },
	{ SCAPH_KEEP_OPENING, CAP_CHOWN },
	{ SCAPH_KEEP_OPENING, CAP_FOWNER },
	/* readlink of /proc/PID/exe. */
	{ SCAPH_KEEP_LOOKING, CAP_SYS_PTRACE },
};
#define KEPT (sizeof(kept) / sizeof(kept[0]))

/* Which of them this thread has now: nothing is gained by keeping. */
static void see_kept(unsigned int keep, bool *ret_has)
{
	for (unsigned int i = 0; i < KEPT; i++)
		ret_has[i] = (keep & kept[i].keep) != 0 &&
			     capng_have_capability(CAPNG_EFFECTIVE, kept[i].capability);
}

int scaph_privilege_drop(unsigned int keep)
{
	bool has[KEPT] = {}, any = false;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (capng_get_caps_process() < 0)
		return -EPERM;
	/*
	 * The bounding set first: that needs a capability itself. Without it no_new_privs alone
	 * keeps them away.
	 */
	see_kept(keep, has);
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) {
		capng_clear(CAPNG_SELECT_BOUNDS);
		if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
			return -EPERM;
	}
	capng_clear(CAPNG_SELECT_BOTH);
	for (unsigned int i = 0; i < KEPT; i++) {
		any |= has[i];
		if (has[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				     kept[i].capability);
	}
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return -EPERM;
	if (!any && capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		return -EPERM;
	return 0;
}
