/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle.h - what each event of the hypervisor means for a domain
 *
 *   started, seen running       comes in: new epoch, counters go on
 *   the same process seen again nothing but its state: a guest's reboot or pause is no new epoch
 *   a process --domain named    stays as it was named, under whatever UUID: it is counted once
 *   found in /proc as well      stays as libvirt or --domain named it; libvirt takes over what was found
 *   stopped                     retired; its counters stay
 *   undefined                   its counters begin anew the next time
 *   devices changed             with an ivshmem file that came or went it comes in again
 *   resumed, restored, migrated its segments are rewritten at once
 *   listed after a reconnect    whoever is not in the list is gone
 *   connection lost             nothing: what runs goes on, and a process's end is seen without it
 *
 * Main thread.
 */
#ifndef SCAPH_PRODUCER_LIFECYCLE_H
#define SCAPH_PRODUCER_LIFECYCLE_H

#include "producer/publish/admission.h"
#include "producer/domain/mailbox.h"

/* Act on letters that have come; if there are many the mailbox stays readable for another turn. */
void scaph_lifecycle_act(struct scaph_admission *admission, struct scaph_mailbox *mailbox);

#endif
