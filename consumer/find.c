/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find.c - path discovery
 */
#include "consumer/find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "consumer/scaph.h"
#include "shm/device.h"
#include "shm/segment.h"

#define GUEST_FOLDER "/var/scaphandre"
#define HOST_FOLDER "/run/scaph/host"
#define RING_SUFFIX ".ring"
#define PLACES_MAX 4096U

static int add(struct scaph_places *places, const char *path)
{
	char **grown;

	if (places->count == PLACES_MAX)
		return -E2BIG;
	grown = reallocarray(places->path, places->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	places->path = grown;
	places->path[places->count] = strdup(path);
	if (!places->path[places->count])
		return -ENOMEM;
	places->count++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), wanted = strlen(suffix);

	return length > wanted && strcmp(text + length - wanted, suffix) == 0;
}

/* A share's scaph.ring; else, in a host folder, every *.ring. */
static int from_folder(const char *folder, struct scaph_places *places)
{
	char path[PATH_MAX];
	struct dirent *entry;
	struct stat st;
	int r = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/" SCAPH_SEGMENT_NAME, folder);
	if (stat(path, &st) == 0)
		return add(places, path);
	dir = opendir(folder);
	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		if (!ends_with(entry->d_name, RING_SUFFIX))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		r = add(places, path);
	}
	closedir(dir);
	if (r == 0 && !places->count)
		return -ENOENT;
	qsort(places->path, places->count, sizeof(*places->path), by_name);
	places->folder = true;
	return r;
}

static bool is_pci_address(const char *text)
{
	unsigned int domain, bus, slot, function;
	int used = 0;

	return (sscanf(text, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function, &used) == 4 &&
		!text[used]) ||
	       (used = 0,
		sscanf(text, "%x:%x.%x%n", &bus, &slot, &function, &used) == 3 && !text[used]);
}

static int from_device(const char *address, const char *sysfs, struct scaph_places *places)
{
	bool is_short = strchr(address, ':') == strrchr(address, ':');
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s%s", sysfs, is_short ? "0000:" : "",
		 address);
	if (stat(path, &st) < 0)
		return -errno;
	if (!scaph_device_is_ivshmem(path))
		return -ENODEV;
	strncat(path, "/resource2", sizeof(path) - strlen(path) - 1);
	return add(places, path);
}

static int from_path(const char *path, const char *sysfs, struct scaph_places *places)
{
	struct stat st;

	snprintf(places->looked, sizeof(places->looked), "%s", path);
	if (stat(path, &st) < 0)
		return errno == ENOENT && is_pci_address(path) ? from_device(path, sysfs, places)
							       : -errno;
	return S_ISDIR(st.st_mode) ? from_folder(path, places) : add(places, path);
}

/* A device is ours if its shared memory begins with a segment; what else uses ivshmem is left alone. */
static bool holds_segment(const char *path)
{
	struct scaph_info info = { .size = sizeof(info) };
	struct scaph_reader *reader;
	struct scaph_record record;
	bool ours;

	if (scaph_open(path, NULL, &reader) < 0)
		return false;
	scaph_next(reader, &record);
	ours = scaph_describe(reader, &info) == 0;
	scaph_close(reader);
	return ours;
}

static int from_devices(const char *sysfs, struct scaph_places *places)
{
	char folder[PATH_MAX], path[2 * PATH_MAX];
	struct dirent *entry;
	int r = -ENOENT;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/bus/pci/devices", sysfs);
	dir = opendir(folder);
	if (!dir)
		return -ENOENT;
	while (r == -ENOENT && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || !scaph_device_is_ivshmem(path))
			continue;
		strncat(path, "/resource2", sizeof(path) - strlen(path) - 1);
		if (holds_segment(path))
			r = add(places, path);
	}
	closedir(dir);
	return r;
}

static int usual_places(const char *sysfs, struct scaph_places *places)
{
	int r = from_path(GUEST_FOLDER, sysfs, places);

	if (r == -ENOENT)
		r = from_devices(sysfs, places);
	if (r == -ENOENT)
		r = from_path(HOST_FOLDER, sysfs, places);
	snprintf(places->looked, sizeof(places->looked),
		 GUEST_FOLDER ", an ivshmem device, " HOST_FOLDER);
	return r;
}

int scaph_find(const char *wanted, const char *sysfs, struct scaph_places *ret_places)
{
	struct scaph_places places = {};
	int r;

	if (!wanted)
		wanted = getenv("SCAPH_PATH");
	r = wanted && *wanted ? from_path(wanted, sysfs, &places) : usual_places(sysfs, &places);
	if (r < 0) {
		char looked[sizeof(places.looked)];

		memcpy(looked, places.looked, sizeof(looked));
		scaph_places_clear(&places);
		memcpy(places.looked, looked, sizeof(looked));
	}
	*ret_places = places;
	return r;
}

void scaph_places_clear(struct scaph_places *places)
{
	for (uint32_t i = 0; i < places->count; i++)
		free(places->path[i]);
	free(places->path);
	*places = (struct scaph_places){};
}
