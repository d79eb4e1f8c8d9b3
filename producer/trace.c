/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.c - reading a trace file
 */
#include "producer/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/log.h"
#include "producer/quantity.h"

#define FIRST_LINE "scaphring-trace 1"
#define BLANKS " \t"

struct parser {
	const char *path;
	unsigned int line;
	struct scaph_trace trace;
	size_t room;
	int order[SCAPH_ZONES]; /* zone of each column */
	uint32_t columns;
};

static int bad(const struct parser *parser, const char *wrong)
{
	scaph_error("%s:%u: %s; scaph-trace(5) has the format", parser->path, parser->line, wrong);
	return -EINVAL;
}

static int take_zones(struct parser *parser, char **words)
{
	char *word;

	if (parser->columns)
		return bad(parser, "zones stand there twice");
	while ((word = strtok_r(NULL, BLANKS, words))) {
		int zone = scaph_source_zone_of(word);

		if (zone < 0 || parser->trace.zones & 1U << zone)
			return bad(parser, "zones must be different ones of package, core, uncore, "
					   "dram, psys");
		parser->trace.zones |= 1U << zone;
		parser->order[parser->columns++] = zone;
	}
	if (!(parser->trace.zones & SCAPH_ZONE_PACKAGE))
		return bad(parser, "the zone package is missing");
	return 0;
}

static int take_range(struct parser *parser, char **words)
{
	const char *word = strtok_r(NULL, BLANKS, words);
	const char *number = strtok_r(NULL, BLANKS, words);
	int zone = word ? scaph_source_zone_of(word) : -1;
	uint64_t range_uj;

	if (zone < 0 || !(parser->trace.zones & 1U << zone))
		return bad(parser, "range needs one of the zones named before");
	if (!number || scaph_quantity_number(number, &range_uj) || range_uj == 0)
		return bad(parser, "range needs the zone's greatest value in microjoules");
	parser->trace.range_uj[zone] = range_uj;
	return 0;
}

static int take_idle(struct parser *parser, char **words)
{
	const char *word = strtok_r(NULL, BLANKS, words);

	if (!word || scaph_quantity_power(word, &parser->trace.idle_uw))
		return bad(parser, "idle_watts needs a number of watts");
	parser->trace.idle_known = true;
	return 0;
}

static int take_quality(struct parser *parser, char **words)
{
	const char *word = strtok_r(NULL, BLANKS, words);

	if (!word || (strcmp(word, "measured") != 0 && strcmp(word, "estimated") != 0))
		return bad(parser, "quality must be measured or estimated");
	parser->trace.estimated = strcmp(word, "estimated") == 0;
	return 0;
}

static int take_header(struct parser *parser, const char *key, char **words)
{
	static const struct {
		const char *key;
		int (*take)(struct parser *parser, char **words);
	} headers[] = {
		{ "zones", take_zones },
		{ "range", take_range },
		{ "idle_watts", take_idle },
		{ "quality", take_quality },
	};

	if (parser->trace.count)
		return bad(parser, "a header, or no number, after the first line of numbers");
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		if (strcmp(headers[i].key, key) == 0)
			return headers[i].take(parser, words);
	}
	return bad(parser, "neither numbers nor a header this version knows");
}

static int make_room(struct parser *parser)
{
	size_t room = parser->room ? 2 * parser->room : 1024;
	struct scaph_trace_line *grown;

	if (parser->trace.count < parser->room)
		return 0;
	grown = reallocarray(parser->trace.line, room, sizeof(*grown));
	if (!grown)
		return bad(parser, "out of memory");
	parser->trace.line = grown;
	parser->room = room;
	return 0;
}

static int take_numbers(struct parser *parser, const char *time, char **words)
{
	struct scaph_trace *trace = &parser->trace;
	struct scaph_trace_line line = {};

	if (!parser->columns)
		return bad(parser, "numbers before the zones line");
	if (scaph_quantity_number(time, &line.mono_ns))
		return bad(parser, "needs a time in whole nanoseconds first");
	for (uint32_t i = 0; i < parser->columns; i++) {
		const char *word = strtok_r(NULL, BLANKS, words);
		int zone = parser->order[i];

		if (!word || scaph_quantity_number(word, &line.raw_uj[zone]))
			return bad(parser, "needs one counter a zone in whole microjoules");
		if (trace->range_uj[zone] && line.raw_uj[zone] > trace->range_uj[zone])
			return bad(parser, "a counter is above its zone's range");
	}
	if (trace->count && line.mono_ns <= trace->line[trace->count - 1].mono_ns)
		return bad(parser, "time does not go forward");
	if (make_room(parser))
		return -ENOMEM;
	trace->line[trace->count++] = line;
	return 0;
}

static int take_line(struct parser *parser, char *text)
{
	char *words = NULL, *word;
	int r;

	text[strcspn(text, "\r\n")] = '\0';
	if (parser->line == 1)
		return strcmp(text, FIRST_LINE) == 0
			       ? 0
			       : bad(parser, "the first line must be \"" FIRST_LINE "\"");
	word = strtok_r(text, BLANKS, &words);
	if (!word || *word == '#')
		return 0;
	r = *word >= '0' && *word <= '9' ? take_numbers(parser, word, &words)
					 : take_header(parser, word, &words);
	if (r == 0 && strtok_r(NULL, BLANKS, &words))
		return bad(parser, "more stands there than belongs on such a line");
	return r;
}

static int take_file(struct parser *parser, FILE *file)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t got;
	int r = 0;

	while (r == 0 && (got = getline(&text, &size, file)) >= 0) {
		parser->line++;
		r = strlen(text) == (size_t)got ? take_line(parser, text)
						: bad(parser, "a NUL byte");
	}
	if (r == 0 && ferror(file)) {
		r = -EIO;
		scaph_error("%s: %s; give --source replay: a readable trace", parser->path,
			    strerror(errno));
	}
	if (r == 0 && parser->trace.count < 2)
		r = bad(parser, "a trace needs at least two lines of numbers");
	free(text);
	return r;
}

int scaph_trace_read(const char *path, struct scaph_trace *ret_trace)
{
	struct parser parser = { .path = path };
	FILE *file = fopen(path, "re");
	int r;

	if (!file) {
		r = -errno;
		scaph_error("%s: %s; give --source replay: a readable trace", path,
			    strerror(errno));
		return r;
	}
	r = take_file(&parser, file);
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
