/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share.h - the folders segments lie in: the root of the shares, one domain's share, the host's own
 *
 * A domain's name comes from outside: it is a folder's name only if it is one path component, and
 * no symbolic link is followed. Both roots are locked with flock on the folder itself, which no
 * guest sees, so that two daemons never share one.
 */
#ifndef SCAPH_PRODUCER_SHARE_H
#define SCAPH_PRODUCER_SHARE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "producer/config/config.h"
#include "producer/domain/domain.h"

/*
 * Which folder it is, in words that no guest has a say in. A device's number is given again as soon as
 * nobody has its files open, and the root of every tmpfs has the same inode: of one in which nothing is
 * open only the file system's own ID tells that another is mounted there, and its size that there may
 * be room now.
 */
struct scaph_share_place {
	dev_t device;
	ino_t inode; /* 0: there was no folder */
	uint64_t file_system;
	uint64_t blocks; /* of a tmpfs, all together */
};

/* 0 or a negative errno. */
int scaph_share_place_of(int fd, struct scaph_share_place *ret_place);

/* Another folder. @held: a file in the first one has been open all the time. */
bool scaph_share_moved(const struct scaph_share_place *before, const struct scaph_share_place *now,
		       bool held);

/* Each: a descriptor, or a negative errno after one line on standard error. */
int scaph_share_open_root(const struct scaph_config *config);

/*
 * Made if missing (0700), locked, freed of an earlier daemon's segments; not with @check: then only
 * looked at.
 */
int scaph_share_open_host(const struct scaph_config *config, bool check);

/* Made if missing (0700) and locked, so that no two daemons ever keep state in one place. */
int scaph_share_open_state(const struct scaph_config *config, bool check);

/**
 * scaph_share_find() - open SHARE_ROOT/UUID, else SHARE_ROOT/NAME
 * @root_fd:     as opened above
 * @ret_folder:  the component that was found, for messages; SCAPH_NAME_BYTES bytes
 *
 * Return:   a descriptor; -ENOENT (no line): there is none; or another errno after a line.
 */
int scaph_share_find(const struct scaph_config *config, int root_fd,
		     const struct scaph_domain *domain, char ret_folder[SCAPH_NAME_BYTES]);

/* The same without a line, and whatever file system it is. */
int scaph_share_look(int root_fd, const struct scaph_domain *domain,
		     char ret_folder[SCAPH_NAME_BYTES]);

#endif
