/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hotplug.h - whether a device can be plugged into a machine that runs, told by its live XML
 *
 * Texts in, words out; nothing is done to any domain. libvirt has the last word: it cannot be asked without doing it.
 *
 * Source: libvirt's format of domains, "Controllers"; QEMU's docs/pcie.txt.
 */
#ifndef SCAPH_VM_HOTPLUG_H
#define SCAPH_VM_HOTPLUG_H

enum scaph_hotplug_result {
	SCAPH_HOTPLUG_PLAN9 = 1, /* QEMU cannot plug it in */
	SCAPH_HOTPLUG_MEMORY, /* it began with memory that nobody else can map */
	SCAPH_HOTPLUG_NO_PORT, /* no free port that takes such a device */
};

/* Why not, in words; of 0 and of negative results "unknown". */
const char *scaph_hotplug_refusal(int result);

/**
 * scaph_hotplug_judge() - whether a device for one transport can be plugged in
 * @live: definition of the running machine
 *
 * Return:   0: as far as can be told it can; a positive enum scaph_hotplug_result; or a negative errno.
 */
int scaph_hotplug_judge(const char *live, unsigned int transport);

#endif
