/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c - opening and closing one run
 */
#include "tools/vm/session.h"

#include <errno.h>
#include <stdio.h>

#include "tools/vm/say.h"

static int find(struct scaph_session *session)
{
	const char *words = session->options->domain;
	char shown[1024];
	int r = scaph_virt_find(session->virt, words, &session->domain);

	if (r == -ENOENT) {
		scaph_name_escape(words, shown, sizeof(shown));
		scaph_vm_error("%s: no such domain; virsh list --all shows them", shown);
	}
	return r;
}

int scaph_session_open(struct scaph_session *session, const struct scaph_vm_options *options)
{
	int r;

	*session = (struct scaph_session){ .options = options };
	r = scaph_virt_open(options->uri, &session->virt);
	return r ? r : find(session);
}

void scaph_session_close(struct scaph_session *session)
{
	scaph_virt_domain_deinit(&session->domain);
	scaph_virt_close(session->virt);
	*session = (struct scaph_session){};
}
