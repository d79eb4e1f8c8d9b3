/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topology_file.h - packages as a file of the operator's says, in place of sysfs
 *
 * For tests, where one package has to be two, and for machines whose firmware numbers packages wrongly.
 * A line is "package ID = CPUS", with CPUs as the kernel lists them; a package may have several lines; a
 * # begins a comment. Whoever asks compares it with the CPUs that there are.
 */
#ifndef SCAPH_PRODUCER_TOPOLOGY_FILE_H
#define SCAPH_PRODUCER_TOPOLOGY_FILE_H

#include <stdint.h>

#include "producer/machine/topology.h"

#define SCAPH_TOPOLOGY_FILE_NONE UINT32_MAX /* the file does not name this CPU */

/**
 * scaph_topology_file_read() - which package each CPU is of
 * @origin:         where the option was given, for messages
 * @ret_package_id: by CPU, SCAPH_TOPOLOGY_FILE_NONE where it is not named
 *
 * Return:   0, or a negative errno after one line.
 */
int scaph_topology_file_read(const char *path, const char *origin,
			     uint32_t ret_package_id[SCAPH_CPUS_MAX]);

#endif
