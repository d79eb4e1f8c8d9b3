/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supported.h - whether counters are there and count: the rule that every measuring source passes
 *
 * A counter is supported if it can be read, is not 0, and moves within 100 ms: a virtual machine
 * reads 0 without an error. The package zone of every package must be, or core's of a source that has
 * no package zone; of the other zones those that are not are left out, for a 0 that was not measured must
 * never be shown.
 */
#ifndef SCAPH_PRODUCER_SUPPORTED_H
#define SCAPH_PRODUCER_SUPPORTED_H

#include "producer/source/source.h"

/**
 * scaph_supported_check() - keep what counts, refuse what cannot be measured
 * @source:   whose packages have the zones that can be read; zones, wrap_ns and about are set here
 * @topology: the source's packages
 * @ret_why:  set on failure: one clause
 *
 * Context:  main thread, before anybody else reads the source; takes up to 100 ms.
 * Return:   0 or a negative errno.
 */
int scaph_supported_check(struct scaph_source *source, const struct scaph_topology *topology,
			  char ret_why[SCAPH_SOURCE_WHY_BYTES]);

#endif
