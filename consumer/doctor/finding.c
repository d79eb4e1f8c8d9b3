/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding.c - names of what can be wrong
 */
#include "consumer/doctor/finding.h"

static const struct {
	const char *id;
	bool is_warning;
} faults[SCAPH_FAULTS] = {
	[SCAPH_FAULT_NO_SHARE] = { "no-share", false },
	[SCAPH_FAULT_9P_FOR_VIRTIOFS] = { "9p-for-virtiofs", false },
	[SCAPH_FAULT_IVSHMEM_PERMISSION] = { "ivshmem-permission", false },
	[SCAPH_FAULT_LOCKDOWN] = { "lockdown", false },
	[SCAPH_FAULT_WRONG_GROUP] = { "wrong-group", false },
	[SCAPH_FAULT_STALE_PRODUCER] = { "stale-producer", false },
	[SCAPH_FAULT_OTHER_LAYOUT] = { "other-layout", false },
	[SCAPH_FAULT_ESTIMATED] = { "estimated-source", true },
	[SCAPH_FAULT_PROFILE_OFF] = { "profile-off", false },
	[SCAPH_FAULT_NO_ENERGY] = { "no-energy", false },
	[SCAPH_FAULT_NO_MEMFD] = { "no-memfd", false },
	[SCAPH_FAULT_UNMOUNTED] = { "unmounted-tmpfs", false },
	[SCAPH_FAULT_FULL] = { "full-tmpfs", false },
	[SCAPH_FAULT_NO_COUNTERS] = { "no-counters", false },
	[SCAPH_FAULT_NO_BTF] = { "no-btf", true },
	[SCAPH_FAULT_OLD_LIBVIRT] = { "old-libvirt", false },
	[SCAPH_FAULT_NO_ANSWER] = { "no-answer", false },
};

const char *scaph_fault_id(uint32_t fault)
{
	return fault < SCAPH_FAULTS ? faults[fault].id : "unknown";
}

bool scaph_fault_is_warning(uint32_t fault)
{
	return fault < SCAPH_FAULTS && faults[fault].is_warning;
}
