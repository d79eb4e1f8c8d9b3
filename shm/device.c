/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.c - telling an ivshmem device by its sysfs attributes
 *
 * Source: QEMU docs/specs/ivshmem-spec (vendor 0x1af4, device 0x1110; BAR2 is the shared memory).
 */
#include "shm/device.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define VENDOR_RED_HAT 0x1af4U
#define DEVICE_IVSHMEM 0x1110U

static bool attribute_is(const char *dir, const char *name, unsigned int wanted)
{
	char path[PATH_MAX];
	unsigned int value = 0;
	bool same;
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	same = fscanf(file, "%x", &value) == 1 && value == wanted;
	fclose(file);
	return same;
}

bool scaph_device_is_ivshmem(const char *device_dir)
{
	return attribute_is(device_dir, "vendor", VENDOR_RED_HAT) &&
	       attribute_is(device_dir, "device", DEVICE_IVSHMEM);
}

bool scaph_device_is_ivshmem_resource(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];

	if (!slash || strcmp(slash + 1, "resource2") != 0)
		return false;
	if (snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path) >= (int)sizeof(dir))
		return false;
	return scaph_device_is_ivshmem(dir);
}
