/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - what scaph doctor was asked, and where it is to look
 */
#ifndef SCAPH_DOCTOR_OPTIONS_H
#define SCAPH_DOCTOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* As what a machine is looked at: a set. */
enum scaph_role {
	SCAPH_ROLE_GUEST = 1U << 0,
	SCAPH_ROLE_HOST = 1U << 1,
};

struct scaph_doctor_options {
	unsigned int roles; /* enum scaph_role; never 0 once read */
	const char *path; /* NULL: the usual places */
	const char *share_root;
	const char *sysfs, *procfs, *devfs;
	const char *fstab;
	const char *virsh; /* a path, or a name that is looked for in the system's folders */
	uint64_t timeout_ns;
	bool json;
};

/* argv[0] is "doctor". 0, SCAPH_OPTIONS_DONE, or -EINVAL after one line on standard error. */
int scaph_doctor_options_read(int argc, char **argv, struct scaph_doctor_options *ret_options);

#endif
