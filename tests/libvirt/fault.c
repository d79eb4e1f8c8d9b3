/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.c - preloaded: the Nth call that changes anything fails once, or is the program's last
 *
 * SCAPH_FAULT is "kill:N" or "fail:N". What changes something outside of the program goes through these
 * functions; a run that makes fewer than N of them is not disturbed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

/* Whether this call is to fail. */
static int fault(void)
{
	static unsigned int calls;
	const char *what = getenv("SCAPH_FAULT");
	const char *number = what ? strchr(what, ':') : NULL;

	if (!number || ++calls != strtoul(number + 1, NULL, 10))
		return 0;
	if (strncmp(what, "kill", 4) == 0)
		raise(SIGKILL);
	errno = EIO;
	return 1;
}

#define INTERPOSE(name, parameters, arguments)                                                     \
	PUBLIC int name parameters;                                                                \
	PUBLIC int name parameters                                                                 \
	{                                                                                          \
		int(*real) parameters = (int(*) parameters)dlsym(RTLD_NEXT, #name);                \
                                                                                                   \
		return fault() ? -1 : real arguments;                                              \
	}

struct mount_attr;

INTERPOSE(mkdir, (const char *path, mode_t mode), (path, mode))
INTERPOSE(mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
INTERPOSE(rmdir, (const char *path), (path))
INTERPOSE(unlink, (const char *path), (path))
INTERPOSE(unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
INTERPOSE(renameat, (int from, const char *old, int to, const char *new), (from, old, to, new))
INTERPOSE(symlinkat, (const char *target, int dir, const char *path), (target, dir, path))
INTERPOSE(fsync, (int fd), (fd))
INTERPOSE(fchown, (int fd, uid_t user, gid_t group), (fd, user, group))
INTERPOSE(fchmod, (int fd, mode_t mode), (fd, mode))
INTERPOSE(fsopen, (const char *name, unsigned int flags), (name, flags))
INTERPOSE(fsconfig, (int fd, unsigned int command, const char *key, const void *value, int aux),
	  (fd, command, key, value, aux))
INTERPOSE(fsmount, (int fd, unsigned int flags, unsigned int attributes), (fd, flags, attributes))
INTERPOSE(open_tree, (int dir, const char *path, unsigned int flags), (dir, path, flags))
INTERPOSE(mount_setattr,
	  (int dir, const char *path, unsigned int flags, struct mount_attr *set, size_t size),
	  (dir, path, flags, set, size))
INTERPOSE(move_mount, (int from, const char *old, int to, const char *new, unsigned int flags),
	  (from, old, to, new, flags))
INTERPOSE(umount2, (const char *path, int flags), (path, flags))

/* Returns what went wrong, not -1. */
PUBLIC int posix_fallocate(int fd, off_t offset, off_t length);
PUBLIC int posix_fallocate(int fd, off_t offset, off_t length)
{
	int (*real)(int, off_t, off_t) =
		(int (*)(int, off_t, off_t))dlsym(RTLD_NEXT, "posix_fallocate");

	return fault() ? ENOSPC : real(fd, offset, length);
}

INTERPOSE(fchmodat, (int dir, const char *path, mode_t mode, int flags), (dir, path, mode, flags))
INTERPOSE(virDomainAttachDeviceFlags, (void *domain, const char *xml, unsigned int flags),
	  (domain, xml, flags))
INTERPOSE(virDomainDetachDeviceFlags, (void *domain, const char *xml, unsigned int flags),
	  (domain, xml, flags))

PUBLIC void *virDomainDefineXMLFlags(void *connection, const char *xml, unsigned int flags);
PUBLIC void *virDomainDefineXMLFlags(void *connection, const char *xml, unsigned int flags)
{
	void *(*real)(void *, const char *, unsigned int) =
		(void *(*)(void *, const char *, unsigned int))dlsym(RTLD_NEXT,
								     "virDomainDefineXMLFlags");

	return fault() ? NULL : real(connection, xml, flags);
}
