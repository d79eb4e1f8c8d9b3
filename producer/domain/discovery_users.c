/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery_users.c - names into numbers
 */
#include "producer/domain/discovery_users.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>

#include "producer/process/log.h"

static int bad(const struct scaph_config_item *item, const char *wrong)
{
	scaph_error("%s %s: %s", item->origin, item->text, wrong);
	return -EINVAL;
}

/* A name first: one of digits alone may be a user's. */
static int user_of(const struct scaph_config_item *item, uid_t *ret_user)
{
	const struct passwd *entry = getpwnam(item->text);
	char *end;
	unsigned long number = strtoul(item->text, &end, 10);

	if (entry) {
		*ret_user = entry->pw_uid;
		return 0;
	}
	if (*end || end == item->text || item->text[0] == '-')
		return bad(item, "no such user; create it, or give its number");
	if (number >= (uid_t)-1)
		return bad(item, "a user's number is less than 4294967295");
	*ret_user = (uid_t)number;
	return 0;
}

int scaph_discovery_users(const struct scaph_config *config, struct scaph_qemu_users *ret_users)
{
	/* Debian's, and that of Red Hat and SUSE. */
	static const char *const usual[] = { "libvirt-qemu", "qemu" };
	const struct scaph_config_list *named = &config->discover_users;
	size_t usuals = sizeof(usual) / sizeof(usual[0]);
	struct scaph_qemu_users users = {};
	int r = 0;

	users.user = calloc(1 + usuals + named->count, sizeof(*users.user));
	if (!users.user)
		return -ENOMEM;
	users.user[users.count++] = 0;
	for (size_t i = 0; i < usuals; i++) {
		const struct passwd *entry = getpwnam(usual[i]);

		if (entry)
			users.user[users.count++] = entry->pw_uid;
	}
	for (uint32_t i = 0; i < named->count && r == 0; i++)
		r = user_of(&named->item[i], &users.user[users.count++]);
	if (r) {
		free(users.user);
		return r;
	}
	*ret_users = users;
	return 0;
}
