/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.c - the definition that is to be, and its consequences in words
 */
#include "tools/vm/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vm/diff.h"
#include "tools/vm/say.h"

static int refuse(const struct scaph_plan *plan, int r)
{
	if (r == 0)
		return 0;
	scaph_vm_error("%s: %s", plan->domain->shown,
		       r > 0	      ? scaph_definition_refusal(r)
		       : r == -EINVAL ? "its definition is no XML that can be changed safely; look "
					"at it with virsh dumpxml --inactive"
				      : strerror(-r));
	return r > 0 ? -EINVAL : r;
}

int scaph_plan_init(struct scaph_plan *plan, const struct scaph_record *record,
		    const struct scaph_virt_domain *domain)
{
	*plan = (struct scaph_plan){ .domain = domain };
	if (asprintf(&plan->export_dir, "%s/%s", record->export_root, domain->uuid) < 0) {
		plan->export_dir = NULL;
		return refuse(plan, -ENOMEM);
	}
	plan->terms = (struct scaph_definition_terms){
		.uuid = domain->uuid,
		.export_dir = plan->export_dir,
	};
	return refuse(plan, scaph_definition_has(domain->definition, &plan->terms, &plan->has));
}

void scaph_plan_deinit(struct scaph_plan *plan)
{
	free(plan->export_dir);
	free(plan->definition);
	free(plan->public);
	*plan = (struct scaph_plan){};
}

/*
 * libvirt 6.4 to 10.10 takes no read-only virtiofs device. Asked without defining anything; where it
 * cannot say, the device does not, for the folder is read-only without it.
 */
static int probe_readonly(struct scaph_plan *plan, struct scaph_virt *virt)
{
	char *xml;
	int r;

	plan->terms.readonly = true;
	r = scaph_definition_add(plan->domain->definition, &plan->terms, plan->wants, &xml);
	if (r)
		return r;
	plan->terms.readonly = scaph_virt_accepts(virt, xml);
	free(xml);
	return 0;
}

int scaph_plan_enable(struct scaph_plan *plan, struct scaph_virt *virt, unsigned int wants)
{
	int r = 0;

	plan->wants = plan->has | wants;
	if (wants & ~plan->has & SCAPH_TRANSPORT_VIRTIOFS)
		r = probe_readonly(plan, virt);
	if (r == 0)
		r = scaph_definition_add(plan->domain->definition, &plan->terms, plan->wants,
					 &plan->definition);
	if (r == 0)
		r = scaph_definition_add(plan->domain->public, &plan->terms, plan->wants,
					 &plan->public);
	return refuse(plan, r);
}

int scaph_plan_remove(struct scaph_plan *plan, unsigned int goes, const char *original, bool memory,
		      bool *ret_left)
{
	const struct scaph_virt_domain *domain = plan->domain;
	bool left = false;
	int r = 0;

	plan->wants = plan->has & ~goes;
	if (original)
		plan->definition = strdup(original);
	else
		r = scaph_definition_remove(domain->definition, &plan->terms, goes, memory, &left,
					    &plan->definition);
	/* The original holds secrets, if the domain has any: then what is cut out is shown. */
	if (r == 0 && original && strcmp(domain->definition, domain->public) == 0)
		plan->public = strdup(original);
	else if (r == 0)
		r = scaph_definition_remove(domain->public, &plan->terms, goes, memory, &left,
					    &plan->public);
	if (r == 0 && (!plan->definition || !plan->public))
		r = -ENOMEM;
	if (r == 0)
		*ret_left = left;
	return refuse(plan, r);
}

/* What becomes of the machine that runs, if one does. */
static void show_running(const struct scaph_plan *plan)
{
	char devices[SCAPH_TRANSPORTS_TEXT_BYTES];

	scaph_transports_format(plan->lacks, devices);
	if (plan->attaches) {
		printf("* %s runs: %s is plugged in at once; nothing is stopped.\n",
		       plan->domain->shown, devices);
		return;
	}
	if (!plan->lacks)
		return;
	printf("* %s runs: it has its share from its next start on, and a reboot inside is none "
	       "(virsh shutdown, then start).\n",
	       plan->domain->shown);
	if (plan->not_live)
		printf("* Live attach is not possible: %s.\n", plan->not_live);
	else
		printf("* Live attach is possible: --live plugs %s in at once.\n", devices);
}

static void show_profile(const struct scaph_plan *plan)
{
	static const char *const means[] = {
		[SCAPH_VM_PROFILE_TRUSTED] =
			"its guest sees exact figures, and by them when its neighbours are busy",
		[SCAPH_VM_PROFILE_SHARED] =
			"its guest sees its own CPU time at a held price, and nothing of others",
		[SCAPH_VM_PROFILE_OFF] = "its guest sees no figures",
	};

	if (plan->profile == SCAPH_VM_PROFILE_NONE)
		return;
	printf("* profile %s: %s. If it runs, its figures begin anew: energy counts on, no power "
	       "is told across.\n",
	       scaph_vm_profile_word(plan->profile), means[plan->profile]);
}

static void show_consequences(const struct scaph_plan *plan)
{
	const struct scaph_virt_domain *domain = plan->domain;
	unsigned int comes = (plan->wants & ~plan->has) | plan->attaches;

	show_running(plan);
	show_profile(plan);
	if (domain->saved)
		printf("* It was saved, and a start would bring back the machine of then, without "
		       "the share: virsh managedsave-remove %s\n",
		       domain->uuid);
	if (comes & SCAPH_TRANSPORT_VIRTIOFS)
		printf("* virtiofs: while it runs, libvirt may refuse save, snapshots with memory "
		       "and migration (Debian 12's does); --transport ivshmem allows them.\n"
		       "* virtiofs: its memory is taken as memfd, shared with virtiofsd.\n");
	if (comes & SCAPH_TRANSPORT_PLAN9)
		printf("* 9p: while the guest has it mounted, save and migration are refused.\n");
	if (comes & SCAPH_TRANSPORT_IVSHMEM)
		printf("* ivshmem: the guest can write to its own file and so spoil its own "
		       "figures, nobody else's.\n"
		       "* ivshmem: a guest with Secure Boot (kernel lockdown) cannot map it; give "
		       "it virtiofs.\n");
	if (comes & SCAPH_TRANSPORTS_FOLDER)
		printf("* %s must be there at every start; after a reboot of this host "
		       "scaph-shares.service mounts it, if enabled, or scaph-vm repair.\n",
		       plan->export_dir);
}

void scaph_plan_show(const struct scaph_plan *plan)
{
	if (scaph_diff_print(plan->domain->public, plan->public, plan->domain->uuid, stdout))
		scaph_vm_note("too little memory to show the difference");
	if ((plan->wants & ~plan->has) | plan->attaches || plan->profile != SCAPH_VM_PROFILE_NONE) {
		printf("\n");
		show_consequences(plan);
	}
	fflush(stdout);
}

void scaph_plan_show_guest_lines(unsigned int transports)
{
	printf("In the guest, as root:\n");
	if (transports & SCAPH_TRANSPORT_VIRTIOFS)
		printf("    mkdir -p /var/scaphandre && mount -t virtiofs -o "
		       "ro,nosuid,nodev,noexec %s "
		       "/var/scaphandre\n",
		       scaph_transport_tag(SCAPH_TRANSPORT_VIRTIOFS));
	else if (transports & SCAPH_TRANSPORT_PLAN9)
		printf("    mkdir -p /var/scaphandre && mount -t 9p -o "
		       "ro,nosuid,nodev,noexec,trans=virtio,version=9p2000.L %s /var/scaphandre\n",
		       scaph_transport_tag(SCAPH_TRANSPORT_PLAN9));
	printf("    scaph text\n"
	       "To keep it there over every start, as root in the guest: scaph guest-setup\n");
}
