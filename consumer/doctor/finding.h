/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding.h - what can be wrong, and one such thing as it was found
 */
#ifndef SCAPH_DOCTOR_FINDING_H
#define SCAPH_DOCTOR_FINDING_H

#include <stdbool.h>
#include <stdint.h>

enum scaph_fault {
	SCAPH_FAULT_NO_SHARE,
	SCAPH_FAULT_9P_FOR_VIRTIOFS,
	SCAPH_FAULT_IVSHMEM_PERMISSION,
	SCAPH_FAULT_LOCKDOWN,
	SCAPH_FAULT_WRONG_GROUP,
	SCAPH_FAULT_STALE_PRODUCER,
	SCAPH_FAULT_OTHER_LAYOUT,
	SCAPH_FAULT_ESTIMATED,
	SCAPH_FAULT_PROFILE_OFF,
	SCAPH_FAULT_NO_ENERGY,
	SCAPH_FAULT_NO_MEMFD,
	SCAPH_FAULT_UNMOUNTED,
	SCAPH_FAULT_FULL,
	SCAPH_FAULT_NO_COUNTERS,
	SCAPH_FAULT_NO_BTF,
	SCAPH_FAULT_OLD_LIBVIRT,
	SCAPH_FAULT_NO_ANSWER,
	SCAPH_FAULTS
};

struct scaph_finding {
	uint32_t fault; /* enum scaph_fault */
	char what[1024]; /* and where; printable */
	char mend[512]; /* a command or a step */
};

/* "no-share"; it never changes. */
const char *scaph_fault_id(uint32_t fault);

/* Figures come, and there is something to know of them. */
bool scaph_fault_is_warning(uint32_t fault);

#endif
