/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shmem_xml.h - whether a domain's definition has a shared memory device of a given name
 *
 * A tenant does not write this XML, but its operator may have taken parts of it from anywhere: it is
 * parsed without network, entities or errors on standard error.
 */
#ifndef SCAPH_PRODUCER_SHMEM_XML_H
#define SCAPH_PRODUCER_SHMEM_XML_H

#include <stdbool.h>

/* False also for what is no domain's definition. */
bool scaph_shmem_xml_has(const char *xml, const char *name);

#endif
