/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport.c - words and sets of transports
 */
#include "tools/vm/transport.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *tag;
} words[] = { { "virtiofs", "scaph" }, { "9p", "scaph9p" }, { "ivshmem", NULL } };
#define WORDS (sizeof(words) / sizeof(words[0]))

const char *scaph_transport_name(unsigned int transport)
{
	for (unsigned int i = 0; i < WORDS; i++) {
		if (transport == 1U << i)
			return words[i].name;
	}
	return "unknown";
}

const char *scaph_transport_tag(unsigned int transport)
{
	for (unsigned int i = 0; i < WORDS; i++) {
		if (transport == 1U << i)
			return words[i].tag;
	}
	return NULL;
}

unsigned int scaph_transport_parse(const char *word)
{
	for (unsigned int i = 0; i < WORDS; i++) {
		if (strcmp(word, words[i].name) == 0)
			return 1U << i;
	}
	return 0;
}

void scaph_transports_format(unsigned int set, char ret_text[SCAPH_TRANSPORTS_TEXT_BYTES])
{
	size_t used = 0;

	snprintf(ret_text, SCAPH_TRANSPORTS_TEXT_BYTES, "none");
	for (unsigned int i = 0; i < WORDS; i++) {
		if (set & 1U << i)
			used += (size_t)snprintf(ret_text + used,
						 SCAPH_TRANSPORTS_TEXT_BYTES - used, "%s%s",
						 used ? "," : "", words[i].name);
	}
}

bool scaph_transports_parse(const char *text, unsigned int *ret_set)
{
	char copy[SCAPH_TRANSPORTS_TEXT_BYTES], *rest = NULL, *word;
	unsigned int set = 0;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return false;
	if (strcmp(copy, "none") != 0) {
		for (word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
			if (!scaph_transport_parse(word))
				return false;
			set |= scaph_transport_parse(word);
		}
	}
	*ret_set = set;
	return true;
}
