/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.c - lines on standard error
 */
#include "consumer/setup/say.h"

#include <stdarg.h>
#include <stdio.h>

static void say(const char *kind, const char *format, va_list words)
{
	/* In order with what was printed before. */
	fflush(stdout);
	fprintf(stderr, "scaph guest-setup: %s", kind);
	vfprintf(stderr, format, words);
	fputc('\n', stderr);
}

void scaph_setup_error(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	say("", format, words);
	va_end(words);
}

void scaph_setup_note(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	say("note: ", format, words);
	va_end(words);
}
