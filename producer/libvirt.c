/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvirt.c - domains of libvirt; not in this version yet, which says so
 */
#include <errno.h>
#include <stddef.h>

#include "producer/hypervisor.h"

int scaph_hypervisor_start(const char *uri, const char *run_dir,
			   const struct scaph_hypervisor_listener *listener,
			   struct scaph_hypervisor **ret_hypervisor)
{
	return -ENOTSUP;
}

void scaph_hypervisor_stop(struct scaph_hypervisor *hypervisor)
{
}
