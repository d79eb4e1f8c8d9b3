/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h - which PCI device is an ivshmem one
 */
#ifndef SCAPH_SHM_DEVICE_H
#define SCAPH_SHM_DEVICE_H

#include <stdbool.h>

/* Whether a folder of /sys/bus/pci/devices is an ivshmem device (vendor 0x1af4, device 0x1110). */
bool scaph_device_is_ivshmem(const char *device_dir);

/*
 * Whether a path is the resource2 of such a device. resource2_wc is refused: write-combined loads
 * are not ordered.
 */
bool scaph_device_is_ivshmem_resource(const char *path);

#endif
