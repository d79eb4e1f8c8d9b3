/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retinue.h - the processes that work for a machine beside its QEMU
 *
 * virtiofsd, swtpm, passt and the like are put into the machine's control group by whoever starts
 * them; so are vhost's kernel threads, which are processes of their own before Linux 6.4. Where the
 * group is not one machine's alone (QEMU was started by hand), only threads that bear QEMU's PID in
 * their name are its; from Linux 6.4 on that is not looked for, for there are none.
 */
#ifndef SCAPH_PRODUCER_RETINUE_H
#define SCAPH_PRODUCER_RETINUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SCAPH_RETINUE_MAX 32U

/**
 * scaph_retinue_find() - who works for a process, without itself
 * @sysfs, @procfs: where these are mounted
 * @vhost:          vhost's threads are processes of their own
 *
 * Context:  main thread; opens some files.
 * Return:   how many; 0 also if it cannot be known.
 */
uint32_t scaph_retinue_find(const char *sysfs, const char *procfs, bool vhost, pid_t pid,
			    pid_t ret_pids[SCAPH_RETINUE_MAX]);

#endif
