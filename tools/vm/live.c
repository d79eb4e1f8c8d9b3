/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.c - plugging in, plugging out and waiting for the guest
 */
#include "tools/vm/live.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "tools/vm/hotplug.h"
#include "tools/vm/say.h"

#define TRIES 50
#define TRY_NS 100000000L

unsigned int scaph_live_has(const struct scaph_virt_domain *domain,
			    const struct scaph_definition_terms *terms, unsigned int set)
{
	unsigned int has = 0;

	if (!domain->live || scaph_definition_has(domain->live, terms, &has))
		return 0;
	return has & set;
}

const char *scaph_live_refusal(struct scaph_virt *virt, const struct scaph_virt_domain *domain,
			       unsigned int transport)
{
	int r = scaph_hotplug_judge(domain->live, transport);

	if (r)
		return r > 0 ? scaph_hotplug_refusal(r) : "its live definition cannot be read";
	if (transport == SCAPH_TRANSPORT_VIRTIOFS && !scaph_virt_has_group(virt, domain))
		return "it has no cpu control group, and libvirt 9.0 would end of that";
	return NULL;
}

int scaph_live_attach(struct scaph_session *session, const struct scaph_plan *plan,
		      unsigned int set)
{
	int r = 0;

	for (unsigned int one = 1; r == 0 && one <= SCAPH_TRANSPORTS_ALL; one <<= 1) {
		char *device;

		if (!(set & one))
			continue;
		device = scaph_definition_device(&plan->terms, one);
		r = device ? scaph_virt_attach(session->virt, &session->domain, device) : -ENOMEM;
		free(device);
	}
	return r;
}

/* Until none of @set is left in it; what it has then is left behind in the session. */
static int wait_for_guest(struct scaph_session *session, const struct scaph_plan *plan,
			  unsigned int set)
{
	static const struct timespec pause = { .tv_nsec = TRY_NS };
	int r = scaph_virt_look(session->virt, &session->domain);

	for (int i = 0; r == 0 && i < TRIES && scaph_live_has(&session->domain, &plan->terms, set);
	     i++) {
		nanosleep(&pause, NULL);
		r = scaph_virt_look(session->virt, &session->domain);
	}
	if (r || !scaph_live_has(&session->domain, &plan->terms, set))
		return r;
	scaph_vm_error("%s: its guest does not let go of the device: umount it there and run "
		       "scaph-vm disable --live again, or it has it until its next start",
		       session->domain.shown);
	return -EBUSY;
}

int scaph_live_detach(struct scaph_session *session, unsigned int set)
{
	struct scaph_plan plan;
	int r = scaph_plan_init(&plan, &session->record, &session->domain);

	if (r == 0)
		set = scaph_live_has(&session->domain, &plan.terms, set);
	for (unsigned int one = 1; r == 0 && one <= SCAPH_TRANSPORTS_ALL; one <<= 1) {
		char *device;

		if (!(set & one))
			continue;
		device = scaph_definition_device(&plan.terms, one);
		r = device ? scaph_virt_detach(session->virt, &session->domain, device) : -ENOMEM;
		free(device);
	}
	if (r == 0 && set)
		r = wait_for_guest(session, &plan, set);
	scaph_plan_deinit(&plan);
	return r;
}
