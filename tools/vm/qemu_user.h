/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_user.h - who QEMU runs as
 */
#ifndef SCAPH_VM_QEMU_USER_H
#define SCAPH_VM_QEMU_USER_H

#include <stdbool.h>
#include <sys/types.h>

struct scaph_qemu_user {
	uid_t user;
	gid_t group;
};

/**
 * scaph_qemu_user_parse() - who QEMU runs as
 * @capabilities: of the host, as libvirt gives them: the dac label of its domains
 * @definition:   a domain's, which may have a static dac label of its own
 * @ret_user:     set only on true
 */
bool scaph_qemu_user_parse(const char *capabilities, const char *definition,
			   struct scaph_qemu_user *ret_user);

#endif
