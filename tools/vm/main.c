/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - scaph-vm: a share for a domain of libvirt by one command, and gone by one command
 */
#include <errno.h>
#include <stdlib.h>

#include "tools/vm/commands.h"
#include "tools/vm/options.h"

static const struct scaph_vm_command commands[] = {
	{ "enable", "DOMAIN", "give it a share: mounts, devices in its definition",
	  scaph_vm_enable },
	{ "disable", "DOMAIN", "take all of that away again", scaph_vm_disable },
	{ "list", "[DOMAIN]", "the domains that have one", scaph_vm_list },
	{ "check", "[DOMAIN]", "what is wrong with it, and what mends that", scaph_vm_check },
	{ "repair", "[DOMAIN]", "a fresh share; without DOMAIN whatever any of them lacks",
	  scaph_vm_repair },
	{ "auto", "", "enable the domains that the settings choose by name", scaph_vm_auto },
	{ "prepare", "",
	  "for libvirt's hook: what the domain lacks whose definition comes on stdin",
	  scaph_vm_prepare },
	{},
};

int main(int argc, char **argv)
{
	const struct scaph_vm_command *command;
	struct scaph_vm_options options;
	int r = scaph_vm_options_read(argc, argv, commands, &command, &options);

	if (r)
		return r == SCAPH_VM_OPTIONS_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
	return command->run(&options) ? EXIT_FAILURE : EXIT_SUCCESS;
}
