/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices.h - which ways into this guest its devices show
 */
#ifndef SCAPH_SETUP_DEVICES_H
#define SCAPH_SETUP_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "consumer/setup/options.h"

#define SCAPH_IVSHMEM_MAX 16U
#define SCAPH_TAG_BYTES 64U

struct scaph_devices {
	unsigned int ways; /* enum scaph_way: what can be used */
	char virtiofs_tag[SCAPH_TAG_BYTES];
	char plan9_tag[SCAPH_TAG_BYTES];
	char address[SCAPH_IVSHMEM_MAX]
		    [16]; /* ivshmem devices with figures, or all if none has any yet */
	uint32_t addresses;
	bool silent; /* none of them has figures yet */
	bool locked; /* kernel lockdown lets nobody map them */
	char other_tags[256]; /* of shares that are none of ours; "" if none was seen */
	const char *module; /* a device waits for this one, which is not loaded; NULL: none does */
};

/**
 * scaph_devices_find() - look at the devices
 * @sysfs: "/sys" or what stands for it
 * @tag:   the share's; NULL: scaph and scaph9p
 */
struct scaph_devices scaph_devices_find(const char *sysfs, const char *tag);

/* One clause: why nothing of @wanted was found, and what mends it. */
void scaph_devices_explain(const struct scaph_devices *devices, unsigned int wanted, char *ret_text,
			   unsigned int size);

#endif
