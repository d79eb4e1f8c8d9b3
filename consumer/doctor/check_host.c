/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_host.c - what scaphd and scaph-vm need of a host: counters, the kernel's types, a libvirt that knows virtiofs
 *
 * Whether counters count is for scaphd --check to say, which may read them; here it is whether there are any.
 *
 * Source: Linux Documentation/power/powercap; libvirt's news, 6.2.0 "virtiofs".
 */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "consumer/doctor/exam.h"
#include "consumer/setup/bounded.h"

#define VIRTIOFS_MAJOR 6U
#define VIRTIOFS_MINOR 2U

/* Whether a folder has an entry with that beginning and, if one is given, that file in it. */
static bool has_entry(const char *root, const char *folder, const char *beginning, const char *file)
{
	char path[PATH_MAX], inside[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", root, folder);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    strncmp(entry->d_name, beginning, strlen(beginning)) != 0)
			continue;
		found = !file || (snprintf(inside, sizeof(inside), "%s/%s/%s", path, entry->d_name,
					   file) < (int)sizeof(inside) &&
				  access(inside, F_OK) == 0);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void look_for_counters(struct scaph_exam *exam)
{
	const char *sysfs = exam->options->sysfs, *devfs = exam->options->devfs;

	if (has_entry(devfs, "cpu", "", "msr") ||
	    has_entry(sysfs, "bus/event_source/devices/power/events", "energy-", NULL) ||
	    has_entry(sysfs, "class/powercap", "intel-rapl:", "energy_uj"))
		return;
	scaph_exam_find(exam, SCAPH_FAULT_NO_COUNTERS,
			"sudo modprobe -a msr intel_rapl_common intel_rapl_msr; a virtual machine "
			"has none: scaphd --source ring takes its host's, --source model estimates",
			"no energy counter: neither %.200s/cpu/*/msr nor "
			"%.200s/bus/event_source/devices/power nor "
			"%.200s/class/powercap/intel-rapl:*",
			devfs, sysfs, sysfs);
}

static void look_for_types(struct scaph_exam *exam)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/kernel/btf/vmlinux", exam->options->sysfs);
	if (access(path, F_OK) == 0)
		return;
	scaph_exam_find(exam, SCAPH_FAULT_NO_BTF,
			"boot a kernel with CONFIG_DEBUG_INFO_BTF, as distributions' are",
			"%.300s is not there: CPU time is known in kernel ticks only (meter "
			"cputime)",
			path);
}

static void look_at_libvirt(struct scaph_exam *exam)
{
	const char *const words[] = { exam->options->virsh, "--version", NULL };
	unsigned int major, minor;
	char said[64];

	/* Without virsh there is no libvirt to be too old. */
	if (scaph_bounded_run(words, said, sizeof(said)) != 0 ||
	    sscanf(said, "%3u.%3u", &major, &minor) != 2)
		return;
	if (major > VIRTIOFS_MAJOR || (major == VIRTIOFS_MAJOR && minor >= VIRTIOFS_MINOR))
		return;
	scaph_exam_find(exam, SCAPH_FAULT_OLD_LIBVIRT,
			"sudo scaph-vm enable DOMAIN --transport 9p, or install libvirt 6.2 or "
			"later",
			"%.200s is of libvirt %u.%u, which knows no virtiofs", words[0], major,
			minor);
}

void scaph_check_host(struct scaph_exam *exam)
{
	look_for_counters(exam);
	look_for_types(exam);
	look_at_libvirt(exam);
}
