/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - command line of scaph doctor
 */
#include "consumer/doctor/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#include "consumer/command/options.h"
#include "consumer/find.h"

#define TIMEOUT_NS 10000000000ULL

static void show_help(void)
{
	printf("Usage: scaph doctor [OPTION]...\n"
	       "Say what is wrong with this machine as a guest or as a host, and what mends it.\n\n"
	       "  --guest\n  --host\n        as what to look; both may be given (default: a host "
	       "if "
	       "the folder of shares or\n        /run/scaph/host is there, else a guest)\n"
	       "  --json\n        as one JSON object\n"
	       "  --timeout SEC\n        leave what does not answer within this time (default 10)\n"
	       "  --path PATH\n        segment file, share folder, host folder, or PCI address of "
	       "an ivshmem device\n"
	       "        (default $SCAPH_PATH or the usual places)\n"
	       "  --share-root DIR\n        folder of shares on a host (default "
	       "/var/lib/libvirt/scaphandre)\n"
	       "  --fstab FILE\n        mounts of a guest (default /etc/fstab)\n"
	       "  --virsh FILE\n        program that tells libvirt's version (default virsh)\n"
	       "  --sysfs DIR\n  --procfs DIR\n  --devfs DIR\n        in the place of /sys, /proc "
	       "and /dev\n"
	       "  --help\n        show this and exit\n\n"
	       "Exit status: 0 if nothing is wrong, warnings or not; 1 if something is; 2 if it "
	       "was asked wrongly.\n");
}

/* A guest has neither folder. */
static unsigned int guess_roles(const struct scaph_doctor_options *options)
{
	struct stat st;

	return stat(options->share_root, &st) == 0 || stat("/run/scaph/host", &st) == 0
		       ? SCAPH_ROLE_HOST
		       : SCAPH_ROLE_GUEST;
}

int scaph_doctor_options_read(int argc, char **argv, struct scaph_doctor_options *ret_options)
{
	enum { GUEST = 1000, HOST, JSON, TIMEOUT, PATH, ROOT, FSTAB, VIRSH, SYS, PROC, DEV, HELP };
	static const struct option options[] = {
		{ "guest", no_argument, NULL, GUEST },
		{ "host", no_argument, NULL, HOST },
		{ "json", no_argument, NULL, JSON },
		{ "timeout", required_argument, NULL, TIMEOUT },
		{ "path", required_argument, NULL, PATH },
		{ "share-root", required_argument, NULL, ROOT },
		{ "fstab", required_argument, NULL, FSTAB },
		{ "virsh", required_argument, NULL, VIRSH },
		{ "sysfs", required_argument, NULL, SYS },
		{ "procfs", required_argument, NULL, PROC },
		{ "devfs", required_argument, NULL, DEV },
		{ "help", no_argument, NULL, HELP },
		{},
	};
	struct scaph_doctor_options asked = {
		.share_root = "/var/lib/libvirt/scaphandre",
		.sysfs = SCAPH_SYSFS,
		.procfs = "/proc",
		.devfs = "/dev",
		.fstab = "/etc/fstab",
		.virsh = "virsh",
		.timeout_ns = TIMEOUT_NS,
	};
	/* From PATH to DEV, in their order. */
	const char **texts[] = {
		&asked.path,  &asked.share_root, &asked.fstab, &asked.virsh,
		&asked.sysfs, &asked.procfs,	 &asked.devfs,
	};
	int choice;

	opterr = 0;
	optind = 1;
	while ((choice = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (choice == GUEST || choice == HOST) {
			asked.roles |= choice == GUEST ? SCAPH_ROLE_GUEST : SCAPH_ROLE_HOST;
		} else if (choice == JSON) {
			asked.json = true;
		} else if (choice == TIMEOUT) {
			if (scaph_take_seconds("--timeout", optarg, 0.001, &asked.timeout_ns))
				return -EINVAL;
		} else if (choice >= PATH && choice <= DEV) {
			*texts[choice - PATH] = optarg;
		} else if (choice == HELP) {
			show_help();
			return SCAPH_OPTIONS_DONE;
		} else {
			fprintf(stderr, "scaph: %s: %s; scaph doctor --help lists the options\n",
				argv[optind - 1],
				choice == ':' ? "needs a value" : "unknown option");
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr,
			"scaph: doctor: %s: takes no words, only options; --path names a "
			"segment\n",
			argv[optind]);
		return -EINVAL;
	}
	if (!asked.roles)
		asked.roles = guess_roles(&asked);
	*ret_options = asked;
	return 0;
}
