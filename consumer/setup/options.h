/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - what scaph guest-setup was asked
 */
#ifndef SCAPH_SETUP_OPTIONS_H
#define SCAPH_SETUP_OPTIONS_H

#include <stdbool.h>

/* A set of ways into a guest. */
enum scaph_way {
	SCAPH_WAY_VIRTIOFS = 1U << 0,
	SCAPH_WAY_PLAN9 = 1U << 1,
	SCAPH_WAY_IVSHMEM = 1U << 2,
};

struct scaph_setup_options {
	unsigned int ways; /* enum scaph_way; 0: what sysfs shows */
	const char *dir; /* where the share is mounted */
	const char *tag; /* NULL: those that scaph-vm gives */
	const char *root; /* NULL: this machine */
	const char *sysfs; /* NULL: none is looked at */
	bool exporter;
	bool dry_run;
	bool undo;
};

/* Positive result: --help or --version was shown. */
enum {
	SCAPH_SETUP_OPTIONS_DONE = 1,
};

/* 0, SCAPH_SETUP_OPTIONS_DONE, or -EINVAL after one line on standard error. */
int scaph_setup_options_read(int argc, char **argv, struct scaph_setup_options *ret_options);

#endif
