/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roster.c - a short array, searched: a thousand entries take less than one question to libvirt
 */
#include "producer/domain/roster.h"

#include <stdlib.h>
#include <string.h>

void scaph_roster_deinit(struct scaph_roster *roster)
{
	free(roster->entry);
	*roster = (struct scaph_roster){};
}

struct scaph_roster_entry *scaph_roster_find(const struct scaph_roster *roster,
					     const uint8_t uuid[SCAPH_UUID_BYTES])
{
	for (uint32_t i = 0; i < roster->count; i++) {
		if (memcmp(roster->entry[i].uuid, uuid, SCAPH_UUID_BYTES) == 0)
			return &roster->entry[i];
	}
	return NULL;
}

struct scaph_roster_entry *scaph_roster_add(struct scaph_roster *roster,
					    const uint8_t uuid[SCAPH_UUID_BYTES])
{
	struct scaph_roster_entry *entry = scaph_roster_find(roster, uuid);

	if (entry)
		return entry;
	if (roster->count == roster->room) {
		uint32_t room = roster->room ? 2 * roster->room : 64;

		entry = reallocarray(roster->entry, room, sizeof(*entry));
		if (!entry)
			return NULL;
		roster->entry = entry;
		roster->room = room;
	}
	entry = &roster->entry[roster->count++];
	*entry = (struct scaph_roster_entry){ .persistent = true, .again_ns = UINT64_MAX };
	memcpy(entry->uuid, uuid, SCAPH_UUID_BYTES);
	return entry;
}

void scaph_roster_remove(struct scaph_roster *roster, struct scaph_roster_entry *entry)
{
	*entry = roster->entry[--roster->count];
}

void scaph_roster_clear(struct scaph_roster *roster)
{
	roster->count = 0;
}

struct scaph_roster_entry *scaph_roster_due(const struct scaph_roster *roster)
{
	struct scaph_roster_entry *due = NULL;

	for (uint32_t i = 0; i < roster->count; i++) {
		struct scaph_roster_entry *entry = &roster->entry[i];

		if (entry->again_ns != UINT64_MAX && (!due || entry->again_ns < due->again_ns))
			due = entry;
	}
	return due;
}
