/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices.c - sysfs: virtio devices by number and tag, ivshmem devices by what they hold
 *
 * A 9p device shows its tag once its driver has it, a virtiofs device since Linux 6.9. One whose tag cannot be seen is taken to be
 * ours: mounting it finds out.
 *
 * Source: virtio 1.2, 5 "Device Types"; Documentation/ABI/testing/sysfs-fs-virtiofs.
 */
#include "consumer/setup/devices.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consumer/scaph.h"
#include "proto/names.h"
#include "shm/device.h"

#define VIRTIO_9P 9U
#define VIRTIO_FS 26U
#define TAG "scaph"
#define TAG_9P "scaph9p"

/* A line of a sysfs file; false: there is none. */
static bool read_line(const char *folder, const char *name, char *ret_text, size_t size)
{
	char path[PATH_MAX];
	size_t length;
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	length = fread(ret_text, 1, size - 1, file);
	fclose(file);
	ret_text[length] = '\0';
	ret_text[strcspn(ret_text, "\n")] = '\0';
	return length > 0;
}

static bool is_wanted(const char *tag, const char *wanted, unsigned int way)
{
	if (wanted)
		return strcmp(tag, wanted) == 0;
	return strcmp(tag, TAG) == 0 || (way == SCAPH_WAY_PLAN9 && strcmp(tag, TAG_9P) == 0);
}

static void take_tag(struct scaph_devices *devices, const char *tag, const char *wanted,
		     unsigned int way)
{
	char *place = way == SCAPH_WAY_PLAN9 ? devices->plan9_tag : devices->virtiofs_tag;
	size_t used = strlen(devices->other_tags);
	char shown[4 * SCAPH_TAG_BYTES];

	if (is_wanted(tag, wanted, way)) {
		snprintf(place, SCAPH_TAG_BYTES, "%s", tag);
		devices->ways |= way;
		return;
	}
	scaph_name_escape(tag, shown, sizeof(shown));
	snprintf(devices->other_tags + used, sizeof(devices->other_tags) - used, "%s%s",
		 used ? ", " : "", shown);
}

/* Every entry of a folder but those with a dot. */
static void each(const char *folder,
		 void (*take)(void *context, const char *path, const char *name), void *context)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(folder);

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) <
		    (int)sizeof(path))
			take(context, path, entry->d_name);
	}
	closedir(dir);
}

struct look {
	struct scaph_devices *devices;
	const char *wanted;
	bool virtiofs; /* there is such a device */
	bool virtiofs_tags; /* and this kernel shows tags */
	uint32_t with_figures;
};

static void take_virtiofs_tag(void *context, const char *path, const char *name)
{
	struct look *look = context;
	char tag[SCAPH_TAG_BYTES];

	(void)name;
	if (read_line(path, "tag", tag, sizeof(tag))) {
		look->virtiofs_tags = true;
		take_tag(look->devices, tag, look->wanted, SCAPH_WAY_VIRTIOFS);
	}
}

static void take_virtio(void *context, const char *path, const char *name)
{
	struct look *look = context;
	char text[SCAPH_TAG_BYTES], driver[PATH_MAX];
	unsigned long kind;
	bool bound;

	(void)name;
	if (!read_line(path, "device", text, sizeof(text)))
		return;
	kind = strtoul(text, NULL, 16);
	bound = snprintf(driver, sizeof(driver), "%s/driver", path) < (int)sizeof(driver) &&
		access(driver, F_OK) == 0;
	if (kind == VIRTIO_FS) {
		look->virtiofs = true;
		if (!bound)
			look->devices->module = "virtiofs";
	} else if (kind == VIRTIO_9P && read_line(path, "mount_tag", text, sizeof(text))) {
		take_tag(look->devices, text, look->wanted, SCAPH_WAY_PLAN9);
	} else if (kind == VIRTIO_9P && !bound) {
		look->devices->module = "9pnet_virtio";
	}
}

/* Whether shared memory begins with a segment; what else uses ivshmem is none of ours. */
static bool holds_figures(struct look *look, const char *path)
{
	struct scaph_info info = { .size = sizeof(info) };
	struct scaph_reader *reader;
	struct scaph_record record;
	int r = scaph_open(path, NULL, &reader);

	if (r < 0) {
		look->devices->locked |= r == -EPERM;
		return false;
	}
	scaph_next(reader, &record);
	r = scaph_describe(reader, &info);
	scaph_close(reader);
	return r == 0;
}

static void take_pci(void *context, const char *path, const char *name)
{
	struct look *look = context;
	struct scaph_devices *devices = look->devices;
	char resource[PATH_MAX];
	bool good;

	if (strlen(name) >= sizeof(devices->address[0]) || !scaph_device_is_ivshmem(path) ||
	    strspn(name, "0123456789abcdef:.") != strlen(name) ||
	    snprintf(resource, sizeof(resource), "%s/resource2", path) >= (int)sizeof(resource))
		return;
	good = holds_figures(look, resource);
	/* One with figures puts those without aside. */
	if (good && !look->with_figures)
		devices->addresses = 0;
	if ((!good && look->with_figures) || devices->addresses == SCAPH_IVSHMEM_MAX)
		return;
	look->with_figures += good;
	snprintf(devices->address[devices->addresses++], sizeof(devices->address[0]), "%s", name);
	devices->ways |= SCAPH_WAY_IVSHMEM;
}

struct scaph_devices scaph_devices_find(const char *sysfs, const char *tag)
{
	struct scaph_devices devices = {};
	struct look look = { .devices = &devices, .wanted = tag };
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s/fs/virtiofs", sysfs);
	each(folder, take_virtiofs_tag, &look);
	snprintf(folder, sizeof(folder), "%s/bus/virtio/devices", sysfs);
	each(folder, take_virtio, &look);
	snprintf(folder, sizeof(folder), "%s/bus/pci/devices", sysfs);
	each(folder, take_pci, &look);
	if (look.virtiofs && !look.virtiofs_tags) {
		snprintf(devices.virtiofs_tag, sizeof(devices.virtiofs_tag), "%s", tag ? tag : TAG);
		devices.ways |= SCAPH_WAY_VIRTIOFS;
	}
	devices.silent = devices.addresses && !look.with_figures;
	return devices;
}

void scaph_devices_explain(const struct scaph_devices *devices, unsigned int wanted, char *ret_text,
			   unsigned int size)
{
	if (devices->module)
		snprintf(ret_text, size,
			 "a device waits for its driver: modprobe %s (cloud kernels may lack it: "
			 "install the full kernel package), then run this again",
			 devices->module);
	else if (devices->other_tags[0])
		snprintf(ret_text, size,
			 "the shares here have other tags (%s); give the right one with --tag, or "
			 "let scaph-vm enable on the host add one",
			 devices->other_tags);
	else
		snprintf(ret_text, size,
			 "%s: either the host gives none (there: scaph-vm enable DOMAIN), or this "
			 "guest has not been off since it does (shut it down and start it, a "
			 "reboot is not enough), or this kernel lacks the driver (modprobe "
			 "virtiofs; modprobe 9pnet_virtio)",
			 wanted ? "no such device with energy figures"
				: "no virtiofs, 9p or ivshmem device with energy figures");
}
