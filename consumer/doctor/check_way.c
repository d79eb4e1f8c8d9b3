/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_way.c - whether this guest has a way to its figures: a share, or an ivshmem device
 *
 * Where there is none, the cause is looked for in its devices and in fstab; only if none is found it is just not there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consumer/doctor/access.h"
#include "consumer/doctor/exam.h"
#include "consumer/find.h"
#include "consumer/setup/devices.h"
#include "proto/names.h"
#include "shm/device.h"

#define GUEST_FOLDER "/var/scaphandre"

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), wanted = strlen(end);

	return length > wanted && strcmp(text + length - wanted, end) == 0;
}

/* "none [integrity] confidentiality": what stands in brackets is in force. */
static bool is_locked_down(const struct scaph_exam *exam)
{
	char path[PATH_MAX], line[128] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/kernel/security/lockdown", exam->options->sysfs);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return strstr(line, "[integrity]") || strstr(line, "[confidentiality]");
}

/* Whether it has a fault; if so, it is said. */
static bool explain_device(struct scaph_exam *exam, const char *device)
{
	char resource[PATH_MAX];

	if (!scaph_device_is_ivshmem(device) ||
	    snprintf(resource, sizeof(resource), "%s/resource2", device) >= (int)sizeof(resource))
		return false;
	if (is_locked_down(exam)) {
		scaph_exam_find(
			exam, SCAPH_FAULT_LOCKDOWN,
			"on the host: sudo scaph-vm enable DOMAIN --transport virtiofs",
			"%.200s: lockdown, as with Secure Boot: this kernel lets nobody map "
			"an ivshmem device",
			resource);
		return true;
	}
	if (faccessat(AT_FDCWD, resource, R_OK, AT_EACCESS) < 0 && errno == EACCES) {
		scaph_access_explain(exam, resource);
		return true;
	}
	return false;
}

static bool explain_devices(struct scaph_exam *exam)
{
	char folder[PATH_MAX], path[PATH_MAX];
	struct dirent *entry;
	bool said = false;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/bus/pci/devices", exam->options->sysfs);
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && snprintf(path, sizeof(path), "%s/%s", folder,
							entry->d_name) < (int)sizeof(path))
			said |= explain_device(exam, path);
	}
	if (dir)
		closedir(dir);
	return said;
}

/* fstab mounts by 9p what is a virtiofs device, as Scaphandre's documentation has it: that mount fails at every start. */
static bool explain_fstab(struct scaph_exam *exam)
{
	FILE *file = setmntent(exam->options->fstab, "re");
	struct mntent *entry;
	bool said = false;

	while (file && (entry = getmntent(file))) {
		struct scaph_devices devices;
		char tag[512], dir[512];

		if (strcmp(entry->mnt_type, "9p") != 0 || strlen(entry->mnt_fsname) > 64 ||
		    strlen(entry->mnt_dir) > 120)
			continue;
		devices = scaph_devices_find(exam->options->sysfs, entry->mnt_fsname);
		if (devices.ways & SCAPH_WAY_PLAN9 || !(devices.ways & SCAPH_WAY_VIRTIOFS))
			continue;
		scaph_name_escape(entry->mnt_fsname, tag, sizeof(tag));
		scaph_name_escape(entry->mnt_dir, dir, sizeof(dir));
		scaph_exam_find(exam, SCAPH_FAULT_9P_FOR_VIRTIOFS,
				"take that line out and let sudo scaph guest-setup mount the share",
				"%.200s: %.200s is mounted by 9p at %.200s, but the device is a "
				"virtiofs one",
				exam->options->fstab, tag, dir);
		said = true;
	}
	if (file)
		endmntent(file);
	return said;
}

static void say_none(struct scaph_exam *exam, const char *looked)
{
	struct scaph_devices devices = scaph_devices_find(exam->options->sysfs, NULL);
	char mend[512], plain[170], shown[700];

	if (devices.ways & (SCAPH_WAY_VIRTIOFS | SCAPH_WAY_PLAN9))
		snprintf(mend, sizeof(mend),
			 "sudo scaph guest-setup, which mounts it now and at every start");
	else if (devices.ways & SCAPH_WAY_IVSHMEM)
		snprintf(
			mend, sizeof(mend),
			"on the host: sudo systemctl start scaphd, for the ivshmem device holds no "
			"figures yet");
	else
		snprintf(mend, sizeof(mend),
			 "on the host: sudo scaph-vm enable DOMAIN, then shut this guest down and "
			 "start it; here: sudo scaph guest-setup");
	snprintf(plain, sizeof(plain), "%.169s", looked);
	scaph_name_escape(plain, shown, sizeof(shown));
	scaph_exam_find(exam, SCAPH_FAULT_NO_SHARE, mend, "%s: no share of this guest's figures",
			shown);
}

void scaph_check_way(struct scaph_exam *exam)
{
	struct scaph_places places;
	int r = scaph_find(exam->options->path, exam->options->sysfs, &places);
	bool device = r == 0 && places.count && ends_with(places.path[0], "/resource2");
	bool said = false;

	/* Of the usual places it is the folder that is there and says no. */
	if (r == -EACCES || r == -EPERM)
		scaph_access_explain(exam,
				     strchr(places.looked, ',') ? GUEST_FOLDER : places.looked);
	else if (r < 0 || device)
		said = explain_devices(exam) | explain_fstab(exam);
	if (r < 0 && r != -EACCES && r != -EPERM && !said)
		say_none(exam, places.looked);
	scaph_places_clear(&places);
}
