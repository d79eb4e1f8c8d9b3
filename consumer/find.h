/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find.h - where the segments are: a path, a folder, a PCI device, or the usual places
 */
#ifndef SCAPH_CONSUMER_FIND_H
#define SCAPH_CONSUMER_FIND_H

#include <stdbool.h>
#include <stdint.h>

#define SCAPH_SYSFS "/sys"

struct scaph_places {
	char **path; /* segment files or resource2 of a device */
	uint32_t count;
	bool folder; /* a host folder: several segments belong together */
	char looked[512]; /* for messages: where it was looked */
};

/**
 * scaph_find() - turn what the user gave into segment files
 * @wanted:     file, folder or PCI address; NULL: $SCAPH_PATH, /var/scaphandre, an ivshmem device with our magic, /run/scaph/host
 * @sysfs:      SCAPH_SYSFS, or what stands for it
 * @ret_places: set on 0 and on -ENOENT (looked only); freed with scaph_places_clear()
 *
 * Context:  stats, lists folders, maps ivshmem devices: may block on a hung share.
 * Return:   0; -ENOENT: nothing there (yet); or another negative errno.
 */
int scaph_find(const char *wanted, const char *sysfs, struct scaph_places *ret_places);
void scaph_places_clear(struct scaph_places *places);

#endif
