/* SPDX-License-Identifier: Apache-2.0 */
/*
 * each.c - the domain that was named, or every enrolled one
 */
#include "tools/vm/each.h"

#include "tools/vm/store.h"

int scaph_each(struct scaph_session *session,
	       int (*act)(struct scaph_session *session, void *context), void *context)
{
	char uuid[SCAPH_UUID_TEXT_BYTES] = "";
	struct scaph_record record;
	bool enrolled;
	int first = 0, r;

	if (session->options->domain) {
		r = scaph_session_turn(session, session->options->domain);
		return r ? r : act(session, context);
	}
	while (session->store >= 0 && scaph_store_next(session->store, uuid)) {
		r = scaph_record_load(session->store, uuid, &record);
		enrolled = r == 0 && record.state != SCAPH_RECORD_NONE;
		if (enrolled) {
			scaph_record_deinit(&record);
			r = scaph_session_turn(session, uuid);
		}
		if (enrolled && r == 0)
			r = act(session, context);
		if (first == 0)
			first = r;
	}
	return first;
}
