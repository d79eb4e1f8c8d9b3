/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery.h - machines that no hypervisor tells us of, found in /proc
 *
 * Every two seconds processes are listed, and each that is new, or that may be due, is asked by one system
 * call whether it is a QEMU. What comes
 * and goes is told to the same listener as libvirt's, by its own thread, with sighting.discovered set: of
 * a domain that libvirt or the operator names as well, theirs is the last word.
 *
 * Nothing is told of a process younger than a second: it may be one that only forks, or makes its
 * machine's files. Of two with one UUID neither is told, for one of them lies or both are copies; but
 * where Proxmox's PID file names one of them, that is it.
 */
#ifndef SCAPH_PRODUCER_DISCOVERY_H
#define SCAPH_PRODUCER_DISCOVERY_H

#include "producer/config/config.h"
#include "producer/domain/hypervisor.h"

struct scaph_discovery;

/**
 * scaph_discovery_open() - make ready; nothing is looked at yet
 * @config:   outlives it
 * @listener: copied; running(), stopped() and undefined() are called
 *
 * Return:   0, or a negative errno after one line.
 */
int scaph_discovery_open(const struct scaph_config *config,
			 const struct scaph_hypervisor_listener *listener,
			 struct scaph_discovery **ret_discovery);

/* Look once; all is told when it returns. Not with a thread running. */
void scaph_discovery_look(struct scaph_discovery *discovery);

/* Look every two seconds, the first time at once: 0 or a negative errno. */
int scaph_discovery_start(struct scaph_discovery *discovery);

/* No call comes after this returned. NULL is allowed. */
void scaph_discovery_close(struct scaph_discovery *discovery);

#endif
