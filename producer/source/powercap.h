/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powercap.h - the RAPL zones in sysfs, found by what they say they are
 *
 * SYSFS/class/powercap has each zone flat, intel-rapl:0 and intel-rapl:0:1, and again nested in its
 * parent. The numbers in those names follow the order in which zones were made and tell nothing.
 * intel-rapl-mmio shows the same energy a second time and is not looked at. AMD's and TPMI's zones
 * have the same names as Intel's registers'.
 */
#ifndef SCAPH_PRODUCER_POWERCAP_H
#define SCAPH_PRODUCER_POWERCAP_H

#include <limits.h>

#include "producer/source/source.h"

/* Folders of the zones of one package; an empty text: there is no such zone. */
struct scaph_powercap_package {
	char folder[SCAPH_ZONES][PATH_MAX];
};

/**
 * scaph_powercap_find() - the zones of every package of the topology
 * @ret_packages: SCAPH_PACKAGES_MAX of them, in the topology's order, empty before; written on
 *                failure too
 * @ret_why:      set on failure: one clause
 *
 * Return:   0; or a negative errno: no zones, or packages and zones that do not fit each other.
 */
int scaph_powercap_find(const struct scaph_config *config, const struct scaph_topology *topology,
			struct scaph_powercap_package *ret_packages,
			char ret_why[SCAPH_SOURCE_WHY_BYTES]);

#endif
