/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon_user.c - the daemon's user; the only user of libacl
 */
#include "tools/vm/daemon_user.h"

#include <acl/libacl.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/acl.h>

uid_t scaph_daemon_user(void)
{
	const struct passwd *user = getpwnam(SCAPH_DAEMON_USER);

	return user ? user->pw_uid : 0;
}

static acl_t make_list(uid_t user)
{
	char text[80];

	snprintf(text, sizeof(text), "u::rw-,u:%u:rw-,g::rw-,m::rw-,o::---", (unsigned int)user);
	return acl_from_text(text);
}

int scaph_daemon_user_let_in(int fd)
{
	uid_t user = scaph_daemon_user();
	acl_t list;
	int r;

	if (user == 0)
		return 0;
	list = make_list(user);
	if (!list)
		return -errno;
	r = acl_set_fd(fd, list) < 0 ? -errno : 0;
	acl_free(list);
	return r;
}

bool scaph_daemon_user_is_in(const char *path)
{
	uid_t user = scaph_daemon_user();
	acl_t wanted, found;
	bool in;

	if (user == 0)
		return true;
	wanted = make_list(user);
	found = acl_get_file(path, ACL_TYPE_ACCESS);
	in = wanted && found && acl_cmp(wanted, found) == 0;
	if (wanted)
		acl_free(wanted);
	if (found)
		acl_free(found);
	return in;
}
