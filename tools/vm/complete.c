/* SPDX-License-Identifier: Apache-2.0 */
/*
 * complete.c - mounts and files after a reboot, or after somebody took them away
 */
#include "tools/vm/complete.h"

#include <stdio.h>

#include "tools/vm/enrolment.h"
#include "tools/vm/health.h"
#include "tools/vm/pve_enrolled.h"
#include "tools/vm/say.h"

int scaph_complete(struct scaph_session *session, void *context)
{
	struct scaph_health health = {};
	char mend[SCAPH_PVE_MEND_BYTES];
	int r;

	if (session->record.state != SCAPH_RECORD_ENABLED_STATE) {
		if (session->vmid)
			scaph_vm_note("%s: scaph-vm was interrupted; run scaph-vm %s",
				      session->domain.shown,
				      scaph_pve_enrolled_mend(session, mend));
		else
			scaph_vm_note("%s: scaph-vm was interrupted; run scaph-vm repair %s",
				      session->domain.shown, session->domain.uuid);
		return 0;
	}
	scaph_health_look_at_host(session, &health);
	if (!health.faults)
		return 0;
	if (session->options->dry_run) {
		printf("%s: would be given what it lacks\n", session->domain.shown);
		return 0;
	}
	r = scaph_enrolment_build(session, session->record.transports);
	if (r == 0)
		printf("%s: it has what it lacked\n", session->domain.shown);
	return r;
}
