/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery_twins.c - by UUID in a row, and each row settled
 */
#include "producer/domain/discovery_twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/process/log.h"
#include "proto/names.h"

#define TWIN_LOOKS 3U /* one that has not been told is perhaps a parent that waits for its daemon */

static int by_uuid(const void *a, const void *b)
{
	const struct scaph_discovery_entry *one = a, *other = b;
	int order = memcmp(one->uuid, other->uuid, sizeof(one->uuid));

	return order ? order
		     : (one->find.pid > other->find.pid) - (one->find.pid < other->find.pid);
}

/* Proxmox writes the machine's process there, as root. */
static bool named_by_pid_file(const char *folder, const struct scaph_discovery_entry *entry)
{
	char path[4096];
	long pid = 0;
	FILE *file;

	if (!entry->find.argv.vmid)
		return false;
	snprintf(path, sizeof(path), "%s/%u.pid", folder, entry->find.argv.vmid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%ld", &pid) != 1)
		pid = 0;
	fclose(file);
	return pid == entry->find.pid;
}

/* A fork that has not become another program yet. */
static bool is_child_of_one(const struct scaph_discovery_entry *child,
			    const struct scaph_discovery_entry *first, size_t count)
{
	for (size_t i = 0; i < count && !child->find.argv.daemonize; i++) {
		if (first[i].find.pid == child->find.parent)
			return true;
	}
	return false;
}

static void say_twins(const struct scaph_discovery_entry *first,
		      struct scaph_discovery_entry *other)
{
	char uuid[SCAPH_UUID_TEXT_BYTES];

	scaph_uuid_format(other->uuid, uuid);
	scaph_warning("--discover: processes %d and %d both say that they are %s: neither is given "
		      "its share; give each machine a UUID of its own",
		      (int)first->find.pid, (int)other->find.pid, uuid);
}

/* Entries with one UUID. */
static void settle(const char *folder, struct scaph_discovery_entry *first, size_t count)
{
	struct scaph_discovery_entry *chosen = NULL, *left = NULL;
	size_t named = 0, lefts = 0;

	for (size_t i = 0; i < count; i++) {
		first[i].twin = true;
		if (named_by_pid_file(folder, &first[i]) && ++named)
			chosen = &first[i];
		if (!is_child_of_one(&first[i], first, count) && ++lefts)
			left = &first[i];
	}
	if (named != 1)
		chosen = lefts == 1 ? left : NULL;
	if (chosen) {
		chosen->twin = false;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		first[i].twin_looks++;
		if (i == 0 || first[i].twin_said || is_child_of_one(&first[i], first, count) ||
		    (!first[0].told && !first[i].told && first[i].twin_looks < TWIN_LOOKS))
			continue;
		say_twins(&first[0], &first[i]);
		first[i].twin_said = true;
	}
}

void scaph_discovery_find_twins(struct scaph_discovery_entries *now, const char *pid_folder)
{
	size_t next;

	/* Strangers are nobody's twins. */
	if (now->count)
		qsort(now->at, now->count, sizeof(*now->at), by_uuid);
	for (size_t i = 0; i < now->count; i = next) {
		next = i + 1;
		while (now->at[i].find.trusted && next < now->count && now->at[next].find.trusted &&
		       memcmp(now->at[next].uuid, now->at[i].uuid, SCAPH_UUID_BYTES) == 0)
			next++;
		if (next - i > 1)
			settle(pid_folder, &now->at[i], next - i);
	}
}
