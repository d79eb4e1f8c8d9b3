/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membership.c - /proc/PID/task against the tasks of groups
 *
 * QEMU calls its vCPU threads "CPU 0/KVM" and so on where libvirt starts it. libvirt's monitors hold
 * those alone: the emulator's own threads stay where they were.
 */
#include "producer/meter/membership.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/config/quantity.h"
#include "producer/machine/attribute.h"

#define VCPU "CPU "

struct thread {
	pid_t tid;
	uint32_t part;
	bool grouped;
};

struct threads {
	struct thread *at; /* sorted by TID once all are listed */
	uint32_t count, room;
};

static int add_thread(struct threads *threads, pid_t tid, uint32_t part)
{
	if (threads->count == threads->room) {
		uint32_t room = threads->room ? 2 * threads->room : 256;
		struct thread *grown = reallocarray(threads->at, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		threads->at = grown;
		threads->room = room;
	}
	threads->at[threads->count++] = (struct thread){ .tid = tid, .part = part };
	return 0;
}

static int list_threads(struct threads *threads, const char *procfs, pid_t pid, uint32_t part)
{
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *task;
	int r = 0;

	snprintf(path, sizeof(path), "%s/%d/task", procfs, (int)pid);
	task = opendir(path);
	if (!task)
		return -errno;
	while (r == 0 && (entry = readdir(task))) {
		pid_t tid = (pid_t)atol(entry->d_name);

		if (tid > 0)
			r = add_thread(threads, tid, part);
	}
	closedir(task);
	return r;
}

static int compare_threads(const void *a, const void *b)
{
	const struct thread *left = a, *right = b;

	return (left->tid > right->tid) - (left->tid < right->tid);
}

static struct thread *find_thread(const struct threads *threads, pid_t tid)
{
	const struct thread key = { .tid = tid };

	/* There is none to search where no domain has a thread. */
	return threads->count
		       ? bsearch(&key, threads->at, threads->count, sizeof(key), compare_threads)
		       : NULL;
}

/* A group's tasks; *owner becomes the only part that has some there. */
static int read_tasks(struct threads *threads, const struct scaph_resctrl_group *group,
		      const struct scaph_traffic_part *parts, int32_t *owner,
		      char ret_why[SCAPH_TRAFFIC_WHY_BYTES])
{
	char path[SCAPH_RESCTRL_FOLDER_BYTES + 8], line[32];
	struct thread *thread;
	uint64_t tid;
	FILE *file;
	int r = 0;

	snprintf(path, sizeof(path), "%s/tasks", group->folder);
	file = fopen(path, "re");
	if (!file) {
		r = -errno;
		snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES, "%.200s: %s", path, strerror(-r));
		return r;
	}
	while (r == 0 && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (scaph_quantity_number(line, &tid) || tid > INT32_MAX) {
			snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES, "%.200s: no list of tasks",
				 path);
			r = -EINVAL;
			break;
		}
		thread = find_thread(threads, (pid_t)tid);
		if (!thread || thread->grouped)
			continue;
		thread->grouped = true;
		if (*owner >= 0 && *owner != (int32_t)thread->part) {
			snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES,
				 "group %.140s holds both %.64s and %.64s", group->folder,
				 parts[*owner].shown, parts[thread->part].shown);
			r = -EEXIST;
		}
		*owner = (int32_t)thread->part;
	}
	if (r == 0 && ferror(file)) {
		snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES, "%.200s cannot be read", path);
		r = -EIO;
	}
	fclose(file);
	return r;
}

/* Whether a thread is there and a vCPU; *ret_there tells the one, the result the other. */
static bool is_vcpu(const char *procfs, pid_t pid, pid_t tid, bool *ret_there)
{
	char path[PATH_MAX], name[64];

	snprintf(path, sizeof(path), "%s/%d/task/%d/comm", procfs, (int)pid, (int)tid);
	*ret_there = scaph_attribute_read(path, name, sizeof(name)) == 0;
	return *ret_there && strncmp(name, VCPU, strlen(VCPU)) == 0;
}

/* Enough of a domain is in groups: all threads, or all of those that are vCPUs. */
static bool is_covered(const struct threads *threads, const char *procfs,
		       const struct scaph_traffic_part *parts, uint32_t part)
{
	uint32_t grouped = 0, others = 0, vcpus = 0;

	for (uint32_t i = 0; i < threads->count; i++)
		grouped += threads->at[i].part == part && threads->at[i].grouped;
	if (!grouped)
		return false;
	for (uint32_t i = 0; i < threads->count; i++) {
		const struct thread *thread = &threads->at[i];
		bool there, vcpu;

		if (thread->part != part || thread->grouped)
			continue;
		vcpu = is_vcpu(procfs, parts[part].pid, thread->tid, &there);
		if (vcpu)
			return false;
		others += there;
	}
	for (uint32_t i = 0; i < threads->count && others && !vcpus; i++) {
		bool there;

		if (threads->at[i].part == part && threads->at[i].grouped)
			vcpus += is_vcpu(procfs, parts[part].pid, threads->at[i].tid, &there);
	}
	return !others || vcpus;
}

static int find(struct threads *threads, const char *procfs,
		const struct scaph_resctrl_group *groups, uint32_t group_count,
		const struct scaph_traffic_part *parts, uint32_t part_count, int32_t *ret_owner,
		char ret_why[SCAPH_TRAFFIC_WHY_BYTES])
{
	int r = 0;

	for (uint32_t i = 0; i < part_count && r == 0; i++) {
		r = parts[i].pid ? list_threads(threads, procfs, parts[i].pid, i) : -ENOENT;
		if (r)
			snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES, "domain %.64s %s",
				 parts[i].shown,
				 parts[i].pid ? "cannot be looked at"
					      : "is a control group, and no process");
	}
	if (threads->count)
		qsort(threads->at, threads->count, sizeof(*threads->at), compare_threads);
	/* From behind: a control group's list has the tasks of its monitoring groups in it too. */
	for (uint32_t i = group_count; i-- > 1 && r == 0;)
		r = read_tasks(threads, &groups[i], parts, &ret_owner[i], ret_why);
	for (uint32_t i = 0; i < part_count && r == 0; i++) {
		if (is_covered(threads, procfs, parts, i))
			continue;
		snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES, "domain %.64s is in no group of its own",
			 parts[i].shown);
		r = -ENOENT;
	}
	return r;
}

int scaph_membership_find(const char *procfs, const struct scaph_resctrl_group *groups,
			  uint32_t group_count, const struct scaph_traffic_part *parts,
			  uint32_t part_count, int32_t *ret_owner,
			  char ret_why[SCAPH_TRAFFIC_WHY_BYTES])
{
	struct threads threads = {};
	int r;

	for (uint32_t i = 0; i < group_count; i++)
		ret_owner[i] = SCAPH_MEMBERSHIP_NOBODY;
	snprintf(ret_why, SCAPH_TRAFFIC_WHY_BYTES, "out of memory");
	r = find(&threads, procfs, groups, group_count, parts, part_count, ret_owner, ret_why);
	free(threads.at);
	return r;
}
