/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auto.c - scaph-vm auto: enable every domain that the settings choose by its name
 *
 * Names are chosen by tenants: which patterns are harmless is the operator's to know. Nothing is granted here but a
 * share; the profile stays what scaphd's own rules say.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/vm/commands.h"
#include "tools/vm/enrolment.h"
#include "tools/vm/say.h"
#include "tools/vm/settings.h"
#include "tools/vm/transport.h"

#define PATIENCE_MS 30000

static int enable(struct scaph_session *session)
{
	char transports[SCAPH_TRANSPORTS_TEXT_BYTES];
	int r = scaph_enrolment_mend(session);

	if (r == 0)
		r = scaph_vm_enable_quietly(session);
	if (r || session->options->dry_run)
		return r;
	scaph_transports_format(session->record.transports, transports);
	printf("%s (%s): enabled, %s%s\n", session->domain.shown, session->domain.uuid, transports,
	       session->domain.active ? ", from its next start on" : "");
	return 0;
}

static int look_at(struct scaph_session *session, const struct scaph_settings *settings,
		   const char *uuid)
{
	int r = scaph_session_turn(session, uuid);

	if (r || !scaph_settings_choose(settings, session->domain.name))
		return r;
	switch (session->record.state) {
	case SCAPH_RECORD_ENABLED_STATE:
		return 0;
	case SCAPH_RECORD_DISABLING:
		scaph_vm_note("%s: its disable was interrupted; run scaph-vm disable %s",
			      session->domain.shown, uuid);
		return 0;
	default:
		break;
	}
	if (!session->options->dry_run)
		return enable(session);
	printf("%s (%s): would be enabled\n", session->domain.shown, uuid);
	return 0;
}

int scaph_vm_auto(const struct scaph_vm_options *options)
{
	struct scaph_vm_options own = *options;
	struct scaph_settings settings;
	struct scaph_session session;
	char(*uuids)[SCAPH_UUID_TEXT_BYTES] = NULL;
	size_t count = 0;
	int first, r = scaph_settings_read(options->settings, &settings);

	if (r)
		return r;
	if (settings.enable.count == 0) {
		printf("%s: no auto-enable there: nothing is enabled by itself.\n",
		       options->settings);
		scaph_settings_deinit(&settings);
		return 0;
	}
	own.transports = options->transports ? options->transports : settings.transports;
	own.yes = true;
	own.live = false;
	own.patience_ms = PATIENCE_MS;
	first = scaph_session_open(&session, &own, true, true);
	if (first == 0)
		first = scaph_virt_list(session.virt, &uuids, &count);
	/* One that cannot be enabled does not keep the others from it. */
	for (size_t i = 0; i < count; i++) {
		r = look_at(&session, &settings, uuids[i]);
		first = first ? first : r;
	}
	free(uuids);
	scaph_session_close(&session);
	scaph_settings_deinit(&settings);
	return first;
}
