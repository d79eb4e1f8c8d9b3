/* SPDX-License-Identifier: Apache-2.0 */
/*
 * definition.h - our devices in a domain's definition: found, put in, taken out
 *
 * Texts in, texts out; nothing is done to any domain. Whatever is not ours keeps every byte. Ours is
 * told by what only we would choose: the folder that we export, the name scaph-UUID.
 *
 * Source: libvirt's format of domains, "Memory backing", "Filesystems", "Shared memory device".
 */
#ifndef SCAPH_VM_DEFINITION_H
#define SCAPH_VM_DEFINITION_H

#include <stdbool.h>

#include "tools/vm/transport.h"

/* What the devices are called and where they lead. */
struct scaph_definition_terms {
	const char *uuid;
	const char *export_dir; /* absolute: the folder that the guest is given */
	bool readonly; /* a virtiofs device may say so; the folder is read-only in any case */
};

/* What the caller must handle; each has one line in scaph_definition_refusal(). */
enum scaph_definition_result {
	SCAPH_DEFINITION_TAG_TAKEN = 1, /* a device of another folder has our tag */
	SCAPH_DEFINITION_NO_DEVICES, /* nowhere to put them */
	SCAPH_DEFINITION_MEMORY_PRIVATE, /* a NUMA cell asks for private memory: not ours to change */
};

const char *scaph_definition_refusal(int result);

/**
 * scaph_definition_has() - which of our devices are in
 * @ret_set: set of transports; set only on 0
 *
 * Return:   0 or a negative errno.
 */
int scaph_definition_has(const char *xml, const struct scaph_definition_terms *terms,
			 unsigned int *ret_set);

/**
 * scaph_definition_add() - put in what is not there yet
 * @set:     transports wanted; virtiofs brings shared memory along where it is not
 * @ret_xml: set only on 0; equal to @xml if all is there
 *
 * Return:   0, a positive enum scaph_definition_result, or a negative errno.
 */
int scaph_definition_add(const char *xml, const struct scaph_definition_terms *terms,
			 unsigned int set, char **ret_xml);

/**
 * scaph_definition_remove() - take out our devices, and nothing else
 * @set:      transports that go
 * @memory:   the memory backing is ours too: it goes if it still is as we made it, and nobody else needs it
 * @ret_left: what is ours and was left is said here: the memory backing; set only on 0
 * @ret_xml:  set only on 0
 *
 * Return:   0 or a negative errno.
 */
int scaph_definition_remove(const char *xml, const struct scaph_definition_terms *terms,
			    unsigned int set, bool memory, bool *ret_left, char **ret_xml);

/* One device alone, as libvirt takes it to plug it in or out: NULL: out of memory. */
char *scaph_definition_device(const struct scaph_definition_terms *terms, unsigned int transport);

/* Whether a definition says anything about its memory's backing; false also if it cannot be read. */
bool scaph_definition_has_memory(const char *xml);

/*
 * Whether two differ in nothing but our devices, our memory backing, and what libvirt numbers by itself:
 * addresses and the ports they need.
 */
bool scaph_definition_alike(const char *a, const char *b,
			    const struct scaph_definition_terms *terms);

#endif
