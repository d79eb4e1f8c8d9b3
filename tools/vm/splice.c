/* SPDX-License-Identifier: Apache-2.0 */
/*
 * splice.c - collected changes to a text
 */
#include "tools/vm/splice.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void scaph_splices_add(struct scaph_splices *splices, size_t start, size_t end, char *text)
{
	unsigned int at = splices->count;

	if (!text || splices->count == SCAPH_SPLICES_MAX) {
		if (!splices->error)
			splices->error = text ? -E2BIG : -ENOMEM;
		free(text);
		return;
	}
	while (at > 0 && splices->splice[at - 1].start > start) {
		splices->splice[at] = splices->splice[at - 1];
		at--;
	}
	splices->splice[at].start = start;
	splices->splice[at].end = end;
	splices->splice[at].text = text;
	splices->count++;
}

static char *apply(const struct scaph_splices *splices, const char *old)
{
	size_t size = strlen(old) + 1, from = 0;
	char *text, *at;

	for (unsigned int i = 0; i < splices->count; i++)
		size += strlen(splices->splice[i].text);
	text = at = malloc(size);
	if (!text)
		return NULL;
	for (unsigned int i = 0; i < splices->count; i++) {
		assert(splices->splice[i].start >= from);
		at = mempcpy(at, old + from, splices->splice[i].start - from);
		at = stpcpy(at, splices->splice[i].text);
		from = splices->splice[i].end;
	}
	strcpy(at, old + from);
	return text;
}

int scaph_splices_apply(struct scaph_splices *splices, const char *old, char **ret_text)
{
	int r = splices->error;
	char *text = r ? NULL : apply(splices, old);

	for (unsigned int i = 0; i < splices->count; i++)
		free(splices->splice[i].text);
	*splices = (struct scaph_splices){};
	if (r)
		return r;
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

size_t scaph_splice_line_start(const char *text, size_t at)
{
	size_t start = at;

	while (start > 0 && (text[start - 1] == ' ' || text[start - 1] == '\t'))
		start--;
	return start == 0 || text[start - 1] == '\n' ? start : at;
}

size_t scaph_splice_line_end(const char *text, size_t at)
{
	size_t end = at + strspn(text + at, " \t\r");

	return text[end] == '\n' ? end + 1 : at;
}
