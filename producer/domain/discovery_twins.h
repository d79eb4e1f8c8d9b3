/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery_twins.h - machines as discovery keeps them, and those of them that say one UUID
 *
 * A UUID is one machine's. Of several processes with one none is it, unless Proxmox's PID file names one of
 * them, or all others are its children, which have not become other programs yet.
 */
#ifndef SCAPH_PRODUCER_DISCOVERY_TWINS_H
#define SCAPH_PRODUCER_DISCOVERY_TWINS_H

#include "producer/domain/qemu_look.h"

struct scaph_discovery_entry {
	struct scaph_qemu_find find;
	uint8_t uuid[SCAPH_UUID_BYTES]; /* its own, or derived */
	uint32_t looks; /* since it was found */
	bool told;
	bool twin; /* another has its UUID, and it is not the chosen one */
	bool stranger_said, twin_said;
	uint32_t twin_looks;
};

struct scaph_discovery_entries {
	struct scaph_discovery_entry *at;
	size_t count, room;
};

/* Set twin of each, and say once of whom. Their order changes. @pid_folder: of Proxmox's PID files */
void scaph_discovery_find_twins(struct scaph_discovery_entries *now, const char *pid_folder);

#endif
