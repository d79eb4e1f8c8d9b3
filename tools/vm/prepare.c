/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prepare.c - scaph-vm prepare, which libvirt's hook runs before a domain starts
 *
 * The definition comes on standard input, as libvirt gives it to its hooks; of it nothing but the UUID is used. libvirt
 * waits meanwhile, and is not asked: that would never be answered.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/names.h"
#include "tools/vm/commands.h"
#include "tools/vm/complete.h"
#include "tools/vm/say.h"
#include "tools/vm/xml_tree.h"

#define DEFINITION_MAX (4U << 20)
#define PATIENCE_MS 5000 /* guests that start together, each with its hook */

static int read_uuid(char ret_uuid[SCAPH_UUID_TEXT_BYTES])
{
	const struct scaph_xml_element *element;
	char *text = malloc(DEFINITION_MAX);
	struct scaph_xml_element *root;
	uint8_t uuid[SCAPH_UUID_BYTES];
	size_t got;
	int r;

	if (!text)
		return -ENOMEM;
	got = fread(text, 1, DEFINITION_MAX - 1, stdin);
	text[got] = '\0';
	r = got < DEFINITION_MAX - 1 ? scaph_xml_tree_parse(text, &root) : -EFBIG;
	free(text);
	if (r == 0) {
		element = scaph_xml_child(root, "uuid");
		r = element ? scaph_uuid_parse(element->text, uuid) : -EINVAL;
		scaph_xml_tree_free(root);
	}
	if (r == 0)
		scaph_uuid_format(uuid, ret_uuid);
	else
		scaph_vm_error(
			"standard input has no definition of a domain with a UUID; it is for "
			"libvirt's hook to run this");
	return r;
}

int scaph_vm_prepare(const struct scaph_vm_options *options)
{
	struct scaph_vm_options patient = *options;
	char uuid[SCAPH_UUID_TEXT_BYTES];
	struct scaph_session session;
	int r = read_uuid(uuid);

	if (r)
		return r;
	patient.patience_ms = PATIENCE_MS;
	r = scaph_session_open(&session, &patient, true, false);
	if (r == 0 && scaph_session_knows(&session, uuid)) {
		r = scaph_session_turn(&session, uuid);
		if (r == 0)
			r = scaph_complete(&session, NULL);
	}
	scaph_session_close(&session);
	return r;
}
