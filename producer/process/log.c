/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c - the daemon's lines on standard error
 */
#include "producer/process/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum scaph_log_level shown = SCAPH_LOG_INFO;

void scaph_log_set_level(enum scaph_log_level level)
{
	shown = level;
}

int scaph_log_parse_level(const char *word, enum scaph_log_level *ret_level)
{
	static const char *const words[] = { "error", "warning", "info", "debug" };

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret_level = i;
			return 0;
		}
	}
	return -EINVAL;
}

void scaph_log(enum scaph_log_level level, const char *format, ...)
{
	char line[1024];
	va_list args;

	if (level > shown)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* One write a line, so that lines of several processes do not mix. */
	fprintf(stderr, "scaphd: %s\n", line);
}
