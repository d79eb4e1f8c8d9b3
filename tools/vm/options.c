/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - the command line of scaph-vm
 */
#include "tools/vm/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/vm/say.h"
#include "tools/vm/transport.h"

enum {
	TRANSPORT = 1000,
	PROFILE,
	LIVE,
	CONFIG,
	YES,
	DRY_RUN,
	JSON,
	SHARES,
	EXPORTS,
	STATE,
	SHM,
	DAEMON,
	PVE,
	QEMU_SERVER,
	PROFILES,
	SETTINGS,
	PROXMOX,
	HELP,
	VERSION
};

static const struct option options[] = {
	{ "connect", required_argument, NULL, 'c' },
	{ "transport", required_argument, NULL, TRANSPORT },
	{ "profile", required_argument, NULL, PROFILE },
	{ "live", no_argument, NULL, LIVE },
	{ "config", no_argument, NULL, CONFIG },
	{ "yes", no_argument, NULL, YES },
	{ "dry-run", no_argument, NULL, DRY_RUN },
	{ "json", no_argument, NULL, JSON },
	{ "share-root", required_argument, NULL, SHARES },
	{ "export-root", required_argument, NULL, EXPORTS },
	{ "state-dir", required_argument, NULL, STATE },
	{ "shm-dir", required_argument, NULL, SHM },
	{ "daemon-dir", required_argument, NULL, DAEMON },
	{ "proxmox", no_argument, NULL, PROXMOX },
	{ "pve-dir", required_argument, NULL, PVE },
	{ "qemu-server-dir", required_argument, NULL, QEMU_SERVER },
	{ "profile-dir", required_argument, NULL, PROFILES },
	{ "settings", required_argument, NULL, SETTINGS },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION },
	{},
};

static void show_help(const struct scaph_vm_command *commands)
{
	printf("Usage: scaph-vm COMMAND [OPTION]... [--] [DOMAIN]\n"
	       "Give a virtual machine of libvirt its share of energy figures, and take it away "
	       "again.\n\n");
	for (; commands->name; commands++)
		printf("  %-7s %-8s %s\n", commands->name, commands->argument, commands->help);
	printf("\nDOMAIN is a name, a UUID, or the number of a running one.\n\n"
	       "  -c, --connect URI\n        libvirt's (default qemu:///system)\n"
	       "  --transport virtiofs|9p|ivshmem\n        how the share gets into the guest; may "
	       "be repeated (default virtiofs)\n"
	       "  --profile trusted|shared|off\n        what it may see, for scaphd (default: its "
	       "own rules)\n"
	       "  --live\n        change the running machine as well, where that is possible\n"
	       "  --config\n        change the definition of its next start (always done)\n"
	       "  --yes\n        do not ask\n"
	       "  --dry-run\n        show what would be done, and do nothing\n"
	       "  --json\n        list as JSON\n"
	       "  --share-root DIR\n        where scaphd looks for shares (default "
	       "/var/lib/libvirt/scaphandre)\n"
	       "  --export-root DIR\n        where guests are given them, read-only (default "
	       "/var/lib/scaph/export)\n"
	       "  --state-dir DIR\n        what scaph-vm has done, so that it can be undone "
	       "(default /var/lib/scaph/vm)\n"
	       "  --shm-dir DIR\n        where ivshmem files lie (default /dev/shm)\n"
	       "  --daemon-dir DIR\n        scaphd's --state-dir (default /run/scaphd)\n"
	       "  --profile-dir DIR\n        scaphd's --profile-dir (default " SCAPH_VM_PROFILE_DIR
	       ")\n"
	       "  --settings FILE\n        for auto (default /etc/scaph/scaph-vm.conf)\n"
	       "  --proxmox\n        enable or disable a machine of Proxmox VE, named by its VMID; "
	       "libvirt is not asked\n"
	       "  --pve-dir DIR\n        where Proxmox keeps its configuration (default "
	       "/etc/pve)\n"
	       "  --qemu-server-dir DIR\n        where it keeps PID files (default "
	       "/run/qemu-server)\n"
	       "  --help\n        show this and exit\n"
	       "  --version\n        show the version and exit\n\n"
	       "Example: scaph-vm enable web\n");
}

static bool has_control(const char *text)
{
	while (*text && (unsigned char)*text >= 0x20 && *text != 0x7f)
		text++;
	return *text;
}

static int take(struct scaph_vm_options *into, int choice)
{
	const char **texts[] = {
		[SHARES - SHARES] = &into->share_root,
		[EXPORTS - SHARES] = &into->export_root,
		[STATE - SHARES] = &into->state_dir,
		[SHM - SHARES] = &into->shm_dir,
		[DAEMON - SHARES] = &into->daemon_dir,
		[PVE - SHARES] = &into->pve_dir,
		[QEMU_SERVER - SHARES] = &into->qemu_server_dir,
		[PROFILES - SHARES] = &into->profile_dir,
		[SETTINGS - SHARES] = &into->settings,
	};
	unsigned int transport;

	if (choice >= SHARES && choice <= SETTINGS) {
		if (*optarg != '/') {
			scaph_vm_error("%s: must be an absolute path", optarg);
			return -EINVAL;
		}
		/* The record is lines, and a definition holds no control characters. */
		if (has_control(optarg)) {
			scaph_vm_error("a path has a control character; choose another");
			return -EINVAL;
		}
		*texts[choice - SHARES] = optarg;
	} else if (choice == 'c') {
		into->uri = optarg;
	} else if (choice == TRANSPORT) {
		transport = scaph_transport_parse(optarg);
		if (!transport) {
			scaph_vm_error("--transport %s: must be virtiofs, 9p or ivshmem", optarg);
			return -EINVAL;
		}
		into->transports |= transport;
	} else if (choice == PROFILE) {
		if (!scaph_vm_profile_parse(optarg, &into->profile) ||
		    into->profile == SCAPH_VM_PROFILE_NONE) {
			scaph_vm_error("--profile %s: must be trusted, shared or off", optarg);
			return -EINVAL;
		}
	} else {
		into->live |= choice == LIVE;
		into->yes |= choice == YES;
		into->dry_run |= choice == DRY_RUN;
		into->json |= choice == JSON;
		into->proxmox |= choice == PROXMOX;
	}
	return 0;
}

static int take_words(int count, char **words, const struct scaph_vm_command *commands,
		      const struct scaph_vm_command **ret_command, struct scaph_vm_options *into)
{
	if (count == 0) {
		scaph_vm_error("which command? scaph-vm --help lists them");
		return -EINVAL;
	}
	while (commands->name && strcmp(commands->name, words[0]) != 0)
		commands++;
	if (!commands->name) {
		scaph_vm_error("%s: no such command; scaph-vm --help lists them", words[0]);
		return -EINVAL;
	}
	if (count > 2) {
		scaph_vm_error("%s: one domain at a time; quote a name with spaces", words[0]);
		return -EINVAL;
	}
	if (count == 2 && !*commands->argument) {
		scaph_vm_error("%s: takes no domain", words[0]);
		return -EINVAL;
	}
	if (count == 1 && commands->argument[0] == 'D') {
		scaph_vm_error("%s: which domain? scaph-vm %s DOMAIN", words[0], words[0]);
		return -EINVAL;
	}
	into->command = commands->name;
	into->domain = count == 2 ? words[1] : NULL;
	if (into->domain && !*into->domain) {
		scaph_vm_error("%s: the domain's name is empty; give a name or a UUID", words[0]);
		return -EINVAL;
	}
	if (into->proxmox && strcmp(words[0], "enable") != 0 && strcmp(words[0], "disable") != 0) {
		scaph_vm_error(
			"%s: --proxmox is for enable and disable; the others know a machine by "
			"its UUID",
			words[0]);
		return -EINVAL;
	}
	*ret_command = commands;
	return 0;
}

int scaph_vm_options_read(int argc, char **argv, const struct scaph_vm_command *commands,
			  const struct scaph_vm_command **ret_command,
			  struct scaph_vm_options *ret_options)
{
	struct scaph_vm_options into = {
		.uri = "qemu:///system",
		.share_root = "/var/lib/libvirt/scaphandre",
		.export_root = "/var/lib/scaph/export",
		.state_dir = "/var/lib/scaph/vm",
		.shm_dir = "/dev/shm",
		.daemon_dir = "/run/scaphd",
		.pve_dir = "/etc/pve",
		.qemu_server_dir = "/run/qemu-server",
		.profile_dir = SCAPH_VM_PROFILE_DIR,
		.settings = "/etc/scaph/scaph-vm.conf",
	};
	int choice, r = 0;

	opterr = 0;
	while (r == 0 && (choice = getopt_long(argc, argv, ":c:", options, NULL)) != -1) {
		if (choice == HELP) {
			show_help(commands);
			return SCAPH_VM_OPTIONS_DONE;
		}
		if (choice == VERSION) {
			printf("scaph-vm %s\n", SCAPH_VERSION);
			return SCAPH_VM_OPTIONS_DONE;
		}
		if (choice == '?' || choice == ':') {
			scaph_vm_error("%s: %s; scaph-vm --help lists the options, and -- ends "
				       "them before a name with a dash",
				       argv[optind - 1],
				       choice == ':' ? "needs a value" : "unknown option");
			return -EINVAL;
		}
		r = take(&into, choice);
	}
	if (r == 0)
		r = take_words(argc - optind, argv + optind, commands, ret_command, &into);
	if (r == 0)
		*ret_options = into;
	return r;
}
