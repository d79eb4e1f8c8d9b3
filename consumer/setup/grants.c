/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grants.c - mount, group, device and service: what is done by the system's own programs, or to a running kernel
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consumer/setup/actions.h"
#include "consumer/setup/bounded.h"
#include "consumer/setup/group.h"
#include "consumer/setup/mounts.h"
#include "consumer/setup/say.h"

#define SAID_BYTES 256U

/* As in actions.c: listed first, or a positive result that says it is only to be shown. */
static int begin(struct scaph_actions *actions, enum scaph_made_kind kind, const char *what)
{
	int r;

	actions->done++;
	r = scaph_made_add(&actions->made, kind, what, 0);
	if (r)
		scaph_setup_error("%s: %s", SCAPH_MADE_PATH, strerror(-r));
	return r ? r : actions->dry_run;
}

static const char *mount_reason(int error)
{
	switch (-error) {
	case ENODEV:
		return "this kernel lacks the file system: modprobe it, or install the full kernel "
		       "package";
	case EINVAL:
	case ENOENT:
		return "no device has this tag: let scaph-vm enable on the host give one, and shut "
		       "this guest down and start it; or give another with --tag";
	case ETIMEDOUT:
		return "no answer for 20 s: the share hangs; is virtiofsd running on the host?";
	case EPERM:
		return "permission denied; be root: sudo scaph guest-setup";
	default:
		return strerror(-error);
	}
}

int scaph_action_mount(struct scaph_actions *actions, const struct scaph_mounted *mounted)
{
	char type[64], source[256];
	bool there = scaph_mounts_find(mounted->dir, type, source, sizeof(source) / 4);
	int r;

	if (there && (strcmp(type, mounted->type) != 0 || strcmp(source, mounted->tag) != 0)) {
		scaph_setup_error("%s: %s %s is mounted there; umount it, or give another folder "
				  "with --dir",
				  mounted->dir, type, source);
		return -EBUSY;
	}
	/* Mounted by hand, as by the lines that scaph-vm prints: from now on it is as if it were ours. */
	if (there && scaph_made_find(&actions->made, SCAPH_MADE_MOUNT, mounted->dir))
		return 0;
	r = begin(actions, SCAPH_MADE_MOUNT, mounted->dir);
	if (r > 0)
		printf("mount %s %s at %s\n", mounted->type, mounted->tag, mounted->dir);
	if (r || there)
		return r > 0 ? 0 : r;
	r = scaph_mounts_mount(mounted);
	if (r)
		scaph_setup_error("%s: %s with tag %s cannot be mounted: %s", mounted->dir,
				  mounted->type, mounted->tag, mount_reason(r));
	return r;
}

int scaph_action_group(struct scaph_actions *actions)
{
	char said[SAID_BYTES];
	gid_t gid;
	int r = scaph_group_find(&actions->tree, SCAPH_SETUP_GROUP, &gid, NULL);

	if (r == 0)
		return 0;
	r = begin(actions, SCAPH_MADE_GROUP, SCAPH_SETUP_GROUP);
	if (r > 0)
		printf("make group %s\n", SCAPH_SETUP_GROUP);
	if (r)
		return r > 0 ? 0 : r;
	r = scaph_group_make(&actions->tree, SCAPH_SETUP_GROUP, said, sizeof(said));
	if (r)
		scaph_setup_error("group %s cannot be made: %s", SCAPH_SETUP_GROUP, said);
	return r;
}

static int give(const char *resource, gid_t gid, mode_t mode)
{
	int fd = open(resource, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fchown(fd, 0, gid) < 0 || fchmod(fd, mode) < 0)
		r = -errno;
	close(fd);
	return r;
}

int scaph_action_device(struct scaph_actions *actions, const char *resource)
{
	struct stat st;
	gid_t gid = 0;
	int r = scaph_group_find(&actions->tree, SCAPH_SETUP_GROUP, &gid, NULL);

	if (r == 0 && stat(resource, &st) == 0 && st.st_gid == gid && (st.st_mode & 07777) == 0640)
		return 0;
	r = begin(actions, SCAPH_MADE_DEVICE, resource);
	if (r > 0)
		printf("let group %s read %s\n", SCAPH_SETUP_GROUP, resource);
	if (r)
		return r > 0 ? 0 : r;
	r = give(resource, gid, 0640);
	if (r)
		scaph_setup_error("%s: %s", resource, strerror(-r));
	return r;
}

const char *const *scaph_systemctl(struct scaph_words *words, const struct scaph_tree *tree,
				   const char *verb, const char *unit)
{
	unsigned int at = 0;

	words->word[at++] = "systemctl";
	if (tree->root) {
		snprintf(words->root, sizeof(words->root), "--root=%s", tree->root);
		words->word[at++] = words->root;
	}
	words->word[at++] = "--quiet";
	words->word[at++] = verb;
	words->word[at++] = unit;
	words->word[at] = NULL;
	return words->word;
}

int scaph_action_service(struct scaph_actions *actions, const char *unit)
{
	char said[SAID_BYTES];
	struct scaph_words words;
	int r;

	if (scaph_bounded_run(scaph_systemctl(&words, &actions->tree, "is-enabled", unit), said,
			      sizeof(said)) == 0)
		return 0;
	r = begin(actions, SCAPH_MADE_SERVICE, unit);
	if (r > 0)
		printf("enable %s%s\n", unit, actions->tree.root ? "" : ", and start it");
	if (r)
		return r > 0 ? 0 : r;
	r = scaph_bounded_run(scaph_systemctl(&words, &actions->tree, "enable", unit), said,
			      sizeof(said));
	if (r == 0 && !actions->tree.root) {
		scaph_bounded_run(scaph_systemctl(&words, &actions->tree, "daemon-reload", NULL),
				  said, sizeof(said));
		r = scaph_bounded_run(scaph_systemctl(&words, &actions->tree, "start", unit), said,
				      sizeof(said));
	}
	if (r)
		scaph_setup_error("%s: cannot be started: %s", unit,
				  *said ? said : "systemctl failed; see journalctl");
	return r ? -EIO : 0;
}
