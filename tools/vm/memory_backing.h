/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_backing.h - a domain's memory in its definition: virtiofsd must be able to map it
 *
 * Source: libvirt's format of domains, "Memory Backing", "Guest NUMA".
 */
#ifndef SCAPH_VM_MEMORY_BACKING_H
#define SCAPH_VM_MEMORY_BACKING_H

#include <stdbool.h>

#include "tools/vm/splice.h"
#include "tools/vm/xml_tree.h"

/* A NUMA cell asks for private memory, whatever the backing says. */
bool scaph_memory_is_private(const struct scaph_xml_element *root);

/* Put in what lacks for a file or memfd that is shared; what serves already stays as it is. */
void scaph_memory_share(struct scaph_splices *splices, const char *xml,
			const struct scaph_xml_element *root);

/* Exactly what scaph_memory_share() puts in where nothing was. NULL is not. */
bool scaph_memory_is_as_made(const struct scaph_xml_element *backing);

#endif
