/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msr.h - model-specific registers through the kernel's msr driver: MSR_PATH/N/msr
 *
 * CAP_SYS_RAWIO is asked for at open only: descriptors stay good when it is given away.
 */
#ifndef SCAPH_PRODUCER_MSR_H
#define SCAPH_PRODUCER_MSR_H

#include <stdint.h>

#include "producer/machine/topology.h"

/* A descriptor or a negative errno. */
int scaph_msr_open(const struct scaph_config *config, uint32_t cpu);

/* What mends a failed open, as a clause. */
const char *scaph_msr_mend(int r);

/* 0; -ENXIO: the CPU is offline; -EIO: it has no such register. */
int scaph_msr_read(int fd, uint32_t msr, uint64_t *ret_value);

/* Whether the processor blurs short-term energy; of one CPU for all. */
bool scaph_msr_filtered(const struct scaph_config *config, const struct scaph_topology *topology);

#endif
