/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxmox.c - which commands, in which order, and back
 */
#include "tools/vm/proxmox.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tools/vm/confirm.h"
#include "tools/vm/enrolment.h"
#include "tools/vm/pve_command.h"
#include "tools/vm/pve_machine.h"
#include "tools/vm/say.h"
#include "tools/vm/transport.h"

#define COMMANDS_MAX 3
#define NUMBER_BYTES 16

struct commands {
	struct scaph_pve_command at[COMMANDS_MAX];
	size_t count;
};

static void commands_deinit(struct commands *commands)
{
	for (size_t i = 0; i < commands->count; i++)
		scaph_pve_command_deinit(&commands->at[i]);
	commands->count = 0;
}

static int add(struct commands *commands, const char *const *words)
{
	int r = scaph_pve_command_init(&commands->at[commands->count], words);

	if (r == 0)
		commands->count++;
	return r;
}

static int run(const struct commands *commands)
{
	int r = 0;

	for (size_t i = 0; i < commands->count && r == 0; i++)
		r = scaph_pve_command_run(&commands->at[i]);
	return r;
}

static void show(const struct scaph_pve_machine *machine, const struct commands *commands)
{
	if (commands->count)
		printf("%s, by Proxmox's own commands:\n", machine->session.domain.shown);
	for (size_t i = 0; i < commands->count; i++)
		scaph_pve_command_show(&commands->at[i]);
	fflush(stdout);
}

/* The first virtiofsN that nobody has, or -1. */
static int free_device(const struct scaph_pve_machine *machine)
{
	int number = 0;

	while (number < SCAPH_PVE_VIRTIOFS_MAX && machine->config.virtiofs & 1U << number)
		number++;
	return number < SCAPH_PVE_VIRTIOFS_MAX ? number : -1;
}

static int add_folder(const struct scaph_pve_machine *machine, struct commands *commands)
{
	const struct scaph_session *session = &machine->session;
	char map[PATH_MAX + 256], value[64], option[NUMBER_BYTES], vmid[NUMBER_BYTES];
	int r = 0;

	snprintf(map, sizeof(map), "node=%s,path=%s/%s", machine->node, session->record.export_root,
		 session->domain.uuid);
	snprintf(vmid, sizeof(vmid), "%" PRIu32, machine->vmid);
	snprintf(option, sizeof(option), "--virtiofs%d", free_device(machine));
	/* The guest's page cache would show old bytes; O_DIRECT on the host is not needed for that. */
	snprintf(value, sizeof(value), "dirid=%s,cache=never", machine->id);
	if (machine->mapping == SCAPH_PVE_MAPPING_NONE)
		r = add(commands, (const char *[]){ "pvesh", "create", "/cluster/mapping/dir",
						    "--id", machine->id, "--map", map, NULL });
	if (r == 0 && machine->config.ours < 0)
		r = add(commands, (const char *[]){ "qm", "set", vmid, option, value, NULL });
	return r;
}

static int add_shmem(const struct scaph_pve_machine *machine, struct commands *commands)
{
	char value[96], vmid[NUMBER_BYTES];

	if (machine->config.ivshmem_ours)
		return 0;
	snprintf(vmid, sizeof(vmid), "%" PRIu32, machine->vmid);
	snprintf(value, sizeof(value), "size=1,name=scaph-%s", machine->session.domain.uuid);
	return add(commands, (const char *[]){ "qm", "set", vmid, "--ivshmem", value, NULL });
}

/* Take away what is ours; @folder, @shmem: of these alone. */
static int add_removal(const struct scaph_pve_machine *machine, bool folder, bool shmem,
		       struct commands *commands)
{
	char vmid[NUMBER_BYTES], device[NUMBER_BYTES], mapping[64];
	int r = 0;

	snprintf(vmid, sizeof(vmid), "%" PRIu32, machine->vmid);
	snprintf(device, sizeof(device), "virtiofs%d", machine->config.ours);
	snprintf(mapping, sizeof(mapping), "/cluster/mapping/dir/%s", machine->id);
	if (folder && machine->config.ours >= 0)
		r = add(commands, (const char *[]){ "qm", "set", vmid, "--delete", device, NULL });
	if (r == 0 && shmem && machine->config.ivshmem_ours)
		r = add(commands,
			(const char *[]){ "qm", "set", vmid, "--delete", "ivshmem", NULL });
	if (r == 0 && folder && machine->mapping == SCAPH_PVE_MAPPING_OURS)
		r = add(commands, (const char *[]){ "pvesh", "delete", mapping, NULL });
	return r;
}

static int refuse(const struct scaph_pve_machine *machine, const char *why)
{
	scaph_vm_error("%s: %s", machine->session.domain.shown, why);
	return -EINVAL;
}

/* What stands in the way, in words that end with what mends it; NULL: nothing. */
static const char *obstacle(const struct scaph_pve_machine *machine, unsigned int wants)
{
	const struct scaph_pve_config *config = &machine->config;

	if (!machine->exists)
		return "it is no longer on this node; scaph-vm disable --proxmox takes away what "
		       "is "
		       "left";
	if (config->is_template)
		return "it is a template; enable the machines that are made of it";
	if (config->is_locked)
		return "Proxmox has it locked; wait for that task, or qm unlock it";
	if (!*config->uuid)
		return "its smbios1 has no UUID to know it by; qm set VMID --smbios1 "
		       "uuid=$(uuidgen)";
	if (strcmp(config->uuid, machine->session.domain.uuid) != 0)
		return "its UUID is another than when it was enabled; scaph-vm disable --proxmox "
		       "it "
		       "first";
	if (wants & SCAPH_TRANSPORT_PLAN9)
		return "Proxmox gives its machines no 9p; --transport virtiofs or ivshmem";
	if (wants & SCAPH_TRANSPORT_IVSHMEM && config->ivshmem && !config->ivshmem_ours)
		return "it has another ivshmem device, and there is one only; --transport virtiofs";
	if (!(wants & SCAPH_TRANSPORT_VIRTIOFS))
		return NULL;
	if (machine->mapping == SCAPH_PVE_MAPPING_OTHER)
		return "there is a directory mapping of our name that leads elsewhere; remove that";
	if (config->ours < 0 && free_device(machine) < 0)
		return "all its virtiofs devices are taken; --transport ivshmem";
	if (strpbrk(machine->session.record.export_root, ",;=()"))
		return "Proxmox takes no folder with one of ,;=() in it; give --export-root "
		       "another";
	return NULL;
}

static void show_consequences(const struct scaph_pve_machine *machine, unsigned int wants)
{
	if (machine->session.domain.active)
		printf("* It runs: it has its share from its next cold start on (qm shutdown, then "
		       "qm start); a reboot inside is none.\n");
	if (wants & SCAPH_TRANSPORT_VIRTIOFS)
		printf("* virtiofs: Proxmox VE 8.4 or later, with the package virtiofsd. While it "
		       "runs, live migration and snapshots with memory are refused.\n"
		       "* %s/%s must be mounted at every start; after a reboot of this host "
		       "scaph-shares.service does that, if enabled, or the hookscript.\n",
		       machine->session.record.export_root, machine->session.domain.uuid);
	if (wants & SCAPH_TRANSPORT_IVSHMEM)
		printf("* ivshmem: Proxmox makes and removes the file; live migration is refused, "
		       "and "
		       "the guest can spoil its own figures.\n");
	printf("* scaphd finds it with --discover qemu --libvirt none.\n");
	fflush(stdout);
}

static void show_guest_lines(const struct scaph_pve_machine *machine, unsigned int wants)
{
	printf("In the guest, as root:\n");
	if (wants & SCAPH_TRANSPORT_VIRTIOFS)
		printf("    mkdir -p /var/scaphandre && mount -t virtiofs -o "
		       "ro,nosuid,nodev,noexec %s "
		       "/var/scaphandre\n",
		       machine->id);
	printf("    scaph text\n");
}

/* What this run added, away again; @before: as it was. */
static int undo(struct scaph_pve_machine *machine, const struct scaph_pve_machine *before)
{
	struct scaph_session *session = &machine->session;
	struct commands back = {};
	int r;

	scaph_pve_machine_look(machine);
	/* A mapping alone, of an interrupted run, goes too: nothing uses it. */
	r = add_removal(machine, before->config.ours < 0, !before->config.ivshmem_ours, &back);
	if (r == 0)
		r = run(&back);
	commands_deinit(&back);
	if (r == 0 && before->config.ours < 0)
		r = scaph_enrolment_clear(session, SCAPH_TRANSPORT_VIRTIOFS, 0);
	if (r)
		return r;
	if (before->config.ours < 0 && !before->config.ivshmem_ours)
		return scaph_record_forget(session->store, session->domain.uuid);
	session->record.transports = before->config.ours < 0 ? 0 : SCAPH_TRANSPORT_VIRTIOFS;
	return scaph_pve_machine_note(machine, SCAPH_RECORD_ENABLED_STATE);
}

static bool is_done(struct scaph_pve_machine *machine, unsigned int wants)
{
	scaph_pve_machine_look(machine);
	return (!(wants & SCAPH_TRANSPORT_VIRTIOFS) ||
		(machine->config.ours >= 0 && machine->mapping == SCAPH_PVE_MAPPING_OURS)) &&
	       (!(wants & SCAPH_TRANSPORT_IVSHMEM) || machine->config.ivshmem_ours);
}

static int commit(struct scaph_pve_machine *machine, const struct commands *commands,
		  unsigned int wants)
{
	const struct scaph_pve_machine before = *machine;
	struct scaph_session *session = &machine->session;
	unsigned int folder = wants & SCAPH_TRANSPORT_VIRTIOFS;
	int r;

	/* What repair makes again; an ivshmem file is Proxmox's. */
	session->record.transports = folder;
	r = scaph_pve_machine_note(machine, SCAPH_RECORD_ENABLING);
	if (r == 0)
		r = scaph_enrolment_build(session, folder);
	if (r == 0)
		r = run(commands);
	if (r == 0 && !is_done(machine, wants)) {
		scaph_vm_error("%s: its configuration is not as it was asked for; see qm config "
			       "%" PRIu32,
			       session->domain.shown, machine->vmid);
		r = -EIO;
	}
	if (r == 0)
		return scaph_pve_machine_note(machine, SCAPH_RECORD_ENABLED_STATE);
	scaph_vm_error("%s: %s", session->domain.shown,
		       undo(machine, &before) ? "it could not all be undone; run scaph-vm disable "
						"--proxmox when that is mended"
					      : "it failed, and all was undone");
	return r;
}

/* What it has, and what was asked for; virtiofs if neither. */
static unsigned int choose(const struct scaph_pve_machine *machine)
{
	unsigned int wants = machine->session.options->transports;

	if (machine->config.ours >= 0)
		wants |= SCAPH_TRANSPORT_VIRTIOFS;
	if (machine->config.ivshmem_ours)
		wants |= SCAPH_TRANSPORT_IVSHMEM;
	return wants ? wants : SCAPH_TRANSPORT_VIRTIOFS;
}

static int enable(struct scaph_pve_machine *machine, struct commands *commands)
{
	const struct scaph_vm_options *options = machine->session.options;
	unsigned int wants = choose(machine);
	const char *why = obstacle(machine, wants);
	int r = why ? refuse(machine, why) : 0;

	if (r == 0)
		r = scaph_enrolment_check_room(&machine->session, wants & SCAPH_TRANSPORT_VIRTIOFS);
	if (r == 0 && wants & SCAPH_TRANSPORT_VIRTIOFS)
		r = add_folder(machine, commands);
	if (r == 0 && wants & SCAPH_TRANSPORT_IVSHMEM)
		r = add_shmem(machine, commands);
	if (r)
		return r;
	show(machine, commands);
	if (commands->count)
		show_consequences(machine, wants);
	else
		printf("%s: its configuration is right already.\n", machine->session.domain.shown);
	if (!options->dry_run) {
		r = commands->count ? scaph_confirm("Do that?", options->yes) : 0;
		if (r == 0)
			r = commit(machine, commands, wants);
	}
	if (r == 0)
		show_guest_lines(machine, wants);
	return r;
}

static int disable(struct scaph_pve_machine *machine, struct commands *commands)
{
	struct scaph_session *session = &machine->session;
	const struct scaph_vm_options *options = session->options;
	int r = add_removal(machine, true, true, commands);

	if (r)
		return r;
	if (!commands->count && session->record.state == SCAPH_RECORD_NONE) {
		printf("%s: nothing of ours.\n", session->domain.shown);
		return 0;
	}
	show(machine, commands);
	if (session->domain.active)
		scaph_vm_note("%s runs: its guest sees its figures end, and has the device until "
			      "its next cold start",
			      session->domain.shown);
	if (options->dry_run)
		return 0;
	r = scaph_confirm("Do that?", options->yes);
	if (r == 0)
		r = scaph_pve_machine_note(machine, SCAPH_RECORD_DISABLING);
	if (r == 0)
		r = run(commands);
	if (r == 0)
		r = scaph_enrolment_clear(session, SCAPH_TRANSPORT_VIRTIOFS, 0);
	return r ? r : scaph_record_forget(session->store, session->domain.uuid);
}

static int act(const struct scaph_vm_options *options,
	       int (*what)(struct scaph_pve_machine *machine, struct commands *commands))
{
	struct scaph_pve_machine machine;
	struct commands commands = {};
	int r = scaph_pve_machine_open(&machine, options, true);

	if (r == 0)
		r = what(&machine, &commands);
	commands_deinit(&commands);
	scaph_pve_machine_close(&machine);
	return r;
}

int scaph_proxmox_enable(const struct scaph_vm_options *options)
{
	return act(options, enable);
}

int scaph_proxmox_disable(const struct scaph_vm_options *options)
{
	return act(options, disable);
}
