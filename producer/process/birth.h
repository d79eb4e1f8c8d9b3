/* SPDX-License-Identifier: Apache-2.0 */
/*
 * birth.h - when a process began: with its PID that names one process of this boot
 */
#ifndef SCAPH_PRODUCER_BIRTH_H
#define SCAPH_PRODUCER_BIRTH_H

#include <stdint.h>
#include <sys/types.h>

/* Clock ticks of USER_HZ since boot: 0 and set, or a negative errno. Any thread. */
int scaph_birth_ticks(pid_t pid, uint64_t *ret_ticks);

#endif
