/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c - lists of what a client likes, with q-values
 */
#include "consumer/prometheus/accept.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define SPACE " \t"
#define Q_ONE 1000 /* q-values have three decimals */

struct word {
	const char *text;
	size_t length;
};

/* One element of a list: NAME *(; PARAMETER). */
struct element {
	struct word name;
	struct word version; /* text NULL: none */
	int q; /* thousandths; -1: not a q-value */
};

static bool is(struct word word, const char *text)
{
	return word.length == strlen(text) && strncasecmp(word.text, text, word.length) == 0;
}

static struct word trimmed(const char *from, const char *to)
{
	while (from < to && strchr(SPACE, *from))
		from++;
	while (to > from && strchr(SPACE, to[-1]))
		to--;
	return (struct word){ from, (size_t)(to - from) };
}

/* Where the next of the delimiters is, outside quotes; else the end. */
static const char *until(const char *at, const char *delimiters)
{
	bool quoted = false;

	for (; *at && (quoted || !strchr(delimiters, *at)); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (quoted && *at == '\\' && at[1])
			at++;
	}
	return at;
}

static int q_of(struct word word)
{
	int q = 0, digit = 100;

	if (!word.length || word.length > 5 || (word.text[0] != '0' && word.text[0] != '1') ||
	    (word.length > 1 && word.text[1] != '.'))
		return -1;
	for (size_t i = 2; i < word.length; i++, digit /= 10) {
		if (word.text[i] < '0' || word.text[i] > '9')
			return -1;
		q += (word.text[i] - '0') * digit;
	}
	q += (word.text[0] - '0') * Q_ONE;
	return q <= Q_ONE ? q : -1;
}

static void take_parameter(struct element *element, const char *from, const char *to)
{
	const char *equals = memchr(from, '=', (size_t)(to - from));
	struct word name;

	if (!equals)
		return;
	name = trimmed(from, equals);
	if (is(name, "q"))
		element->q = q_of(trimmed(equals + 1, to));
	else if (is(name, "version"))
		element->version = trimmed(equals + 1, to);
}

/* The next element of a list, and the place behind it; NULL at the end. */
static const char *next_element(const char *at, struct element *ret)
{
	struct element element = { .q = Q_ONE };
	const char *end;

	if (!at || !*at)
		return NULL;
	end = until(at, ";,");
	element.name = trimmed(at, end);
	while (*end == ';') {
		at = end + 1;
		end = until(at, ";,");
		take_parameter(&element, at, end);
	}
	*ret = element;
	return *end ? end + 1 : end;
}

bool scaph_accept_openmetrics(const char *accept)
{
	int open = -1, text[3] = { -1, -1, -1 }; /* of text the most exact that is given counts */
	struct element element;

	for (const char *at = accept; (at = next_element(at, &element));) {
		bool plain = is(element.name, "text/plain");
		int *q = NULL;

		if (is(element.name, "application/openmetrics-text")) {
			if (!element.version.text || is(element.version, "1.0.0"))
				q = &open;
		} else if (plain && (!element.version.text || is(element.version, "0.0.4"))) {
			q = &text[0];
		} else if (is(element.name, "text/*")) {
			q = &text[1];
		} else if (is(element.name, "*/*")) {
			q = &text[2];
		}
		if (q && element.q > *q)
			*q = element.q;
	}
	for (int i = 0; i < 2 && text[0] < 0; i++)
		text[0] = text[i + 1];
	return open > 0 && open >= text[0];
}
