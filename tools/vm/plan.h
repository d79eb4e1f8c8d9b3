/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - what a domain's definition is to become, and what that means for it
 */
#ifndef SCAPH_VM_PLAN_H
#define SCAPH_VM_PLAN_H

#include <stdbool.h>

#include "tools/vm/definition.h"
#include "tools/vm/record.h"
#include "tools/vm/virt.h"

struct scaph_plan {
	const struct scaph_virt_domain *domain;
	struct scaph_definition_terms terms;
	char *export_dir; /* what terms point to */
	unsigned int has, wants; /* sets of transports: in the definition now, then */
	unsigned int lacks; /* what of that the running machine has not */
	unsigned int attaches; /* to be plugged into the running machine */
	enum scaph_vm_profile profile; /* which it is given; NONE: no change */
	const char *
		not_live; /* why not all of it could be plugged in; NULL: it could, or nothing is to be */
	char *definition; /* then, secrets included */
	char *public; /* then, to be shown */
};

/*
 * The part that is the same for every command: terms and what is there. Both outlive the plan. 0 or a negative errno
 * after one line.
 */
int scaph_plan_init(struct scaph_plan *plan, const struct scaph_record *record,
		    const struct scaph_virt_domain *domain);
void scaph_plan_deinit(struct scaph_plan *plan);

/* To have @wants as well: 0, or a negative errno after one line. */
int scaph_plan_enable(struct scaph_plan *plan, struct scaph_virt *virt, unsigned int wants);

/**
 * scaph_plan_remove() - to have @goes no more
 * @original: what it was before we came, and nobody but us has changed it since; NULL: ours is cut out
 * @memory:   the memory backing is ours and goes too
 * @ret_left: it stays, for somebody else needs it or has changed it
 *
 * Return:   0, or a negative errno after one line.
 */
int scaph_plan_remove(struct scaph_plan *plan, unsigned int goes, const char *original, bool memory,
		      bool *ret_left);

/* The difference as diff -u, and, of enabling, the consequences. */
void scaph_plan_show(const struct scaph_plan *plan);

/* What to say inside the guest. */
void scaph_plan_show_guest_lines(unsigned int transports);

#endif
