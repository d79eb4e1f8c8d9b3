/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.c - scaph-vm list
 */
#include <stdint.h>
#include <stdio.h>

#include "tools/vm/commands.h"
#include "tools/vm/each.h"
#include "tools/vm/transport.h"

/* Code point of the sequence at *@at, which is moved behind it. libvirt's names are well-formed UTF-8. */
static uint32_t next_point(const char **at)
{
	const uint8_t *byte = (const uint8_t *)*at;
	unsigned int more = *byte < 0xc0 ? 0 : *byte < 0xe0 ? 1 : *byte < 0xf0 ? 2 : 3;
	uint32_t point = more ? *byte & (0x3fU >> more) : *byte;

	for (byte++; more > 0 && *byte; more--)
		point = point << 6 | (*byte++ & 0x3f);
	*at = (const char *)byte;
	return point;
}

/* A string of JSON in ASCII alone, so that a terminal shows it as it is. */
static void put_json(const char *text)
{
	putchar('"');
	while (*text) {
		uint32_t point = next_point(&text);

		if (point >= 0x10000)
			printf("\\u%04x\\u%04x", 0xd800U + ((point - 0x10000) >> 10),
			       0xdc00U + ((point - 0x10000) & 0x3ff));
		else if (point < 0x20 || point >= 0x7f || point == '"' || point == '\\')
			printf("\\u%04x", point);
		else
			putchar((int)point);
	}
	putchar('"');
}

static void put_path(const char *key, const char *root, const char *before, const char *uuid,
		     bool there)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s%s", root, before, uuid);
	printf(", \"%s\": ", key);
	if (there)
		put_json(path);
	else
		printf("null");
}

static void put_object(const struct scaph_session *session, bool first)
{
	const struct scaph_record *record = &session->record;
	const struct scaph_virt_domain *domain = &session->domain;
	bool folder = record->transports & SCAPH_TRANSPORTS_FOLDER, any = false;

	printf("%s\n {\"name\": ", first ? "" : ",");
	put_json(domain->name ? domain->name : domain->shown);
	printf(", \"uuid\": \"%s\", \"state\": \"%s\", \"transports\": [", domain->uuid,
	       scaph_record_state_name(record->state));
	for (unsigned int one = 1; one <= SCAPH_TRANSPORTS_ALL; one <<= 1) {
		if (record->transports & one)
			printf("%s\"%s\"", any ? ", " : "", scaph_transport_name(one));
		any |= (record->transports & one) != 0;
	}
	printf("], \"profile\": ");
	if (record->profile == SCAPH_VM_PROFILE_NONE)
		printf("null");
	else
		printf("\"%s\"", scaph_vm_profile_word(record->profile));
	if (session->vmid)
		printf(", \"vmid\": %u", session->vmid);
	else
		printf(", \"vmid\": null");
	printf(", \"defined\": %s, \"running\": %s", session->gone ? "false" : "true",
	       domain->active ? "true" : "false");
	put_path("share", record->share_root, "", domain->uuid, folder);
	put_path("export", record->export_root, "", domain->uuid, folder);
	put_path("ivshmem", record->shm_dir, "scaph-", domain->uuid,
		 record->transports & SCAPH_TRANSPORT_IVSHMEM);
	printf("}");
}

static int list(struct scaph_session *session, void *context)
{
	char transports[SCAPH_TRANSPORTS_TEXT_BYTES];
	unsigned int *count = context;

	/* A domain that was named, and is not enrolled; or a run that ended before it began. */
	if (session->record.state == SCAPH_RECORD_NONE)
		return 0;
	(*count)++;
	scaph_transports_format(session->record.transports, transports);
	if (session->options->json)
		put_object(session, *count == 1);
	else
		printf("%s  %-10s %-20s %-8s %s\n", session->domain.uuid,
		       scaph_record_state_name(session->record.state), transports,
		       session->gone		? "gone"
		       : session->domain.active ? "running"
						: "off",
		       session->domain.shown);
	return 0;
}

int scaph_vm_list(const struct scaph_vm_options *options)
{
	struct scaph_session session;
	unsigned int count = 0;
	int r = scaph_session_open(&session, options, false, true);

	if (r == 0) {
		printf("%s", options->json ? "[" : "");
		r = scaph_each(&session, list, &count);
		printf("%s", options->json ? count ? "\n]\n" : "]\n" : "");
	}
	scaph_session_close(&session);
	return r;
}
