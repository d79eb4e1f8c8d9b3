/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.c - reading a trace file
 */
#include "producer/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/log.h"

#define FIRST_LINE "scaphring-trace 1"

struct parser {
	const char *path;
	unsigned int line;
	struct scaph_trace trace;
	size_t room;
	uint32_t order[SCAPH_ZONES]; /* zone of each column */
	uint32_t columns;
};

static const char *const zone_words[SCAPH_ZONES] = { "package", "core", "uncore", "dram", "psys" };

static int bad(const struct parser *parser, const char *wrong)
{
	scaph_error("%s:%u: %s; scaph-trace(5) has the format", parser->path, parser->line, wrong);
	return -EINVAL;
}

static int zone_of(const char *word)
{
	for (int i = 0; i < SCAPH_ZONES; i++) {
		if (strcmp(word, zone_words[i]) == 0)
			return i;
	}
	return -1;
}

static int take_zones(struct parser *parser, char *words)
{
	char *save = NULL;

	if (parser->columns)
		return bad(parser, "zones stand there twice");
	for (char *word = strtok_r(words, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		int zone = zone_of(word);

		if (zone < 0 || parser->trace.zones & 1U << zone)
			return bad(parser, "zones must be different ones of package, core, uncore, "
					   "dram, psys");
		parser->trace.zones |= 1U << zone;
		parser->order[parser->columns++] = (uint32_t)zone;
	}
	return parser->trace.zones & SCAPH_ZONE_PACKAGE
		       ? 0
		       : bad(parser, "the zone package is missing");
}

static int take_range(struct parser *parser, const char *words)
{
	char word[16];
	uint64_t range;
	int zone;

	if (sscanf(words, "%15s %" SCNu64, word, &range) != 2 || range == 0)
		return bad(parser, "range needs a zone and its greatest value in microjoules");
	zone = zone_of(word);
	if (zone < 0)
		return bad(parser, "range of an unknown zone");
	parser->trace.range_uj[zone] = range;
	return 0;
}

static int take_idle(struct parser *parser, const char *words)
{
	char *end;
	double watts = strtod(words, &end);

	if (end == words || *end || !isfinite(watts) || watts < 0 || watts > 1e5)
		return bad(parser, "idle_watts needs a number of watts");
	parser->trace.idle_known = true;
	parser->trace.idle_uw = (uint64_t)llround(watts * 1e6);
	return 0;
}

static int take_header(struct parser *parser, char *text)
{
	char *value = strpbrk(text, " \t");

	if (value)
		*value++ = '\0';
	if (!value)
		return bad(parser, "a header line without a value");
	if (strcmp(text, "zones") == 0)
		return take_zones(parser, value);
	if (strcmp(text, "range") == 0)
		return take_range(parser, value);
	if (strcmp(text, "idle_watts") == 0)
		return take_idle(parser, value);
	return bad(parser, "neither numbers nor a header this version knows");
}

static int take_numbers(struct parser *parser, char *text)
{
	struct scaph_trace *trace = &parser->trace;
	struct scaph_trace_line line = {};
	char *at = text, *end;

	if (!parser->columns)
		return bad(parser, "numbers before the zones line");
	for (uint32_t i = 0; i <= parser->columns; i++) {
		uint64_t value;

		errno = 0;
		value = strtoull(at, &end, 10);
		if (errno || end == at || *at == '-')
			return bad(parser, "needs a time in nanoseconds and one counter a zone, "
					   "whole numbers");
		at = end + strspn(end, " \t");
		if (i == 0)
			line.mono_ns = value;
		else
			line.raw[parser->order[i - 1]] = value;
	}
	if (*at)
		return bad(parser, "more numbers than zones");
	if (trace->count && line.mono_ns <= trace->line[trace->count - 1].mono_ns)
		return bad(parser, "time does not go forward");
	if (trace->count == parser->room) {
		size_t room = parser->room ? 2 * parser->room : 1024;
		struct scaph_trace_line *grown = reallocarray(trace->line, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		trace->line = grown;
		parser->room = room;
	}
	trace->line[trace->count++] = line;
	return 0;
}

static int take_line(struct parser *parser, char *text)
{
	text[strcspn(text, "\r\n")] = '\0';
	text += strspn(text, " \t");
	if (parser->line == 1)
		return strcmp(text, FIRST_LINE)
			       ? bad(parser, "the first line must be \"" FIRST_LINE "\"")
			       : 0;
	if (!*text || *text == '#')
		return 0;
	if (*text >= '0' && *text <= '9')
		return take_numbers(parser, text);
	return take_header(parser, text);
}

int scaph_trace_read(const char *path, struct scaph_trace *ret_trace)
{
	struct parser parser = { .path = path };
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	int r = 0;

	if (!file) {
		r = -errno;
		scaph_error("%s: %s; give --source replay: a readable trace", path,
			    strerror(errno));
		return r;
	}
	while (r == 0 && getline(&text, &size, file) >= 0) {
		parser.line++;
		r = take_line(&parser, text);
	}
	if (r == 0 && parser.trace.count < 2)
		r = bad(&parser, "a trace needs at least two lines of numbers");
	free(text);
	fclose(file);
	if (r)
		scaph_trace_clear(&parser.trace);
	else
		*ret_trace = parser.trace;
	return r;
}

void scaph_trace_clear(struct scaph_trace *trace)
{
	free(trace->line);
	*trace = (struct scaph_trace){};
}
