/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery_users.h - whose processes are believed when they say that they are a machine
 *
 * root, the users that distributions run QEMU as, and those of --discover-user.
 */
#ifndef SCAPH_PRODUCER_DISCOVERY_USERS_H
#define SCAPH_PRODUCER_DISCOVERY_USERS_H

#include "producer/config/config.h"
#include "producer/domain/qemu_look.h"

/* 0, or a negative errno after one line; freed with free(ret_users->user). */
int scaph_discovery_users(const struct scaph_config *config, struct scaph_qemu_users *ret_users);

#endif
