/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c - scaph-vm check
 */
#include <errno.h>
#include <stdio.h>

#include "tools/vm/commands.h"
#include "tools/vm/each.h"
#include "tools/vm/health.h"

static void say(const char *what, const char *mend)
{
	printf("    %s\n        mended by: %s\n", what, mend);
}

static int check(struct scaph_session *session, void *context)
{
	struct scaph_health health = { .say = NULL };

	scaph_health_look_at_host(session, &health);
	scaph_health_look_at_domain(session, &health);
	printf("%s (%s): %s\n", session->domain.shown, session->domain.uuid,
	       health.faults ? "" : "good");
	if (!health.faults)
		return 0;
	health.say = say;
	scaph_health_look_at_host(session, &health);
	scaph_health_look_at_domain(session, &health);
	return -EIO;
}

int scaph_vm_check(const struct scaph_vm_options *options)
{
	struct scaph_session session;
	int r = scaph_session_open(&session, options, false, true);

	if (r == 0)
		r = scaph_each(&session, check, NULL);
	scaph_session_close(&session);
	return r;
}
