/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - a control group as a domain: containers, services, sessions
 *
 * Its CPU time includes that of groups beneath it and of everybody who was in it and left. What identifies it is its inode: a
 * group that was removed and made anew under the same name is another one. The open counter keeps reading the group that was
 * opened, and fails once that is removed.
 */
#ifndef SCAPH_PRODUCER_CGROUP_H
#define SCAPH_PRODUCER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SCAPH_CGROUP_PATH_BYTES 1024U

struct scaph_cgroup {
	char path[SCAPH_CGROUP_PATH_BYTES]; /* as found, without symbolic links */
	int usage_fd; /* -1: no control group */
	bool in_stat; /* usage_fd is of cpu.stat (version 2), else of cpuacct.usage (version 1) */
	dev_t device;
	ino_t inode;
};

/**
 * scaph_cgroup_open() - open a control group's CPU time
 * @root:       where control groups are mounted, /sys/fs/cgroup
 * @path:       a folder of them: absolute, or beneath the root or, with version 1, beneath its cpuacct
 * @ret_cgroup: set only on 0
 * @ret_why:    set otherwise: one clause that says what is wrong and what mends it
 *
 * Return:   0 or a negative errno.
 */
int scaph_cgroup_open(const char *root, const char *path, struct scaph_cgroup *ret_cgroup,
		      const char **ret_why);
void scaph_cgroup_close(struct scaph_cgroup *cgroup);

/* Whether one contains the other, or both are the same: their time would count twice. */
bool scaph_cgroup_overlap(const struct scaph_cgroup *a, const struct scaph_cgroup *b);

/* Whether a process is in the group now, as /proc says. */
bool scaph_cgroup_holds(const struct scaph_cgroup *cgroup, pid_t pid);

#endif
