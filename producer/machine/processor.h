/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processor.h - which processor this is, from /proc/cpuinfo
 *
 * The first CPU listed speaks for all, whichever number it has: CPU 0 may be offline.
 */
#ifndef SCAPH_PRODUCER_PROCESSOR_H
#define SCAPH_PRODUCER_PROCESSOR_H

#include "producer/machine/topology.h"

/* Vendor, family and model; what cpuinfo does not tell stays 0. 0 or a negative errno after a line. */
int scaph_processor_read(const struct scaph_config *config, struct scaph_topology *ret_topology);

/* Whether a word stands in its flags; false if cpuinfo cannot be read. */
bool scaph_processor_has(const struct scaph_config *config, const char *flag);

#endif
