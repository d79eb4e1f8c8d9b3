/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter_bpf_absent.c - in the place of meter_bpf.c, where its program cannot be built
 */
#include <errno.h>
#include <stdio.h>

#include "producer/meter/meter.h"

static uint64_t least_window_ns(void)
{
	return 0;
}

static int absent_open(const struct scaph_config *config, const struct scaph_topology *topology,
		       struct scaph_meter **ret_meter, char ret_why[SCAPH_METER_WHY_BYTES])
{
	snprintf(
		ret_why, SCAPH_METER_WHY_BYTES,
		"left out when this scaphd was built (%s); build it with clang, bpftool and libbpf",
		SCAPH_BPF_MISSING);
	return -ENOSYS;
}

const struct scaph_meter_ops scaph_meter_bpf = {
	.name = "bpf",
	.id = SCAPH_METER_BPF,
	.least_window_ns = least_window_ns,
	.open = absent_open,
};
