/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.c - reading a trace file
 */
#include "producer/source/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/process/log.h"
#include "producer/config/quantity.h"

#define FIRST_LINE "scaphring-trace 1"
#define BLANKS " \t"

struct parser {
	const char *path;
	unsigned int line;
	struct scaph_trace trace;
	size_t room;
};

static int bad(const struct parser *parser, const char *wrong)
{
	scaph_error("%s:%u: %s; scaph-trace(5) has the format", parser->path, parser->line, wrong);
	return -EINVAL;
}

/* "ZONE" of package 0, or "ZONE@K": false if it is neither. */
static bool parse_column(const char *word, struct scaph_trace_column *ret_column)
{
	const char *at = strchr(word, '@');
	uint64_t package = 0;
	char zone[16];

	snprintf(zone, sizeof(zone), "%.*s", at ? (int)(at - word) : (int)strlen(word), word);
	if (at && (scaph_quantity_number(at + 1, &package) || package >= SCAPH_PACKAGES_MAX))
		return false;
	ret_column->package = (uint32_t)package;
	ret_column->zone = scaph_source_zone_of(zone);
	return ret_column->zone >= 0;
}

static int take_zones(struct parser *parser, char **words)
{
	struct scaph_trace *trace = &parser->trace;
	struct scaph_trace_column column;
	char *word;

	if (trace->columns)
		return bad(parser, "zones stand there twice");
	while ((word = strtok_r(NULL, BLANKS, words))) {
		struct scaph_source_package *package;

		if (!parse_column(word, &column))
			return bad(parser,
				   "zones must be of package, core, uncore, dram, psys, each "
				   "with @K behind it for package K above 0");
		package = &trace->package[column.package];
		if (package->zones & 1U << column.zone)
			return bad(parser, "a zone stands there twice");
		package->zones |= 1U << column.zone;
		package->counter[column.zone].step_units = SCAPH_UNITS_PER_UJ;
		trace->column[trace->columns++] = column;
		if (trace->packages <= column.package)
			trace->packages = column.package + 1;
	}
	for (uint32_t i = 0; i < trace->packages || i == 0; i++) {
		if (!(trace->package[i].zones & SCAPH_ZONE_PACKAGE))
			return bad(parser, "the zone package of a package is missing");
	}
	return 0;
}

/* "ZONE[@K] NUMBER" of a counter named before; NULL after a line. */
static struct scaph_source_counter *take_counter(struct parser *parser, char **words,
						 uint64_t *ret_number, const char *wrong)
{
	const char *word = strtok_r(NULL, BLANKS, words);
	const char *number = strtok_r(NULL, BLANKS, words);
	struct scaph_trace_column column;

	if (!word || !parse_column(word, &column) ||
	    !(parser->trace.package[column.package].zones & 1U << column.zone) || !number ||
	    scaph_quantity_number(number, ret_number) || *ret_number == 0) {
		bad(parser, wrong);
		return NULL;
	}
	return &parser->trace.package[column.package].counter[column.zone];
}

static int take_range(struct parser *parser, char **words)
{
	uint64_t range;
	struct scaph_source_counter *counter =
		take_counter(parser, words, &range,
			     "range needs one of the zones named before, and its greatest count");

	if (!counter)
		return -EINVAL;
	counter->range = range;
	return 0;
}

static int take_unit(struct parser *parser, char **words)
{
	uint64_t step_units;
	struct scaph_source_counter *counter = take_counter(
		parser, words, &step_units,
		"unit needs one of the zones named before, and 2^-32 microjoules a count");

	if (!counter)
		return -EINVAL;
	counter->step_units = step_units;
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
		{ "zones", take_zones },     { "range", take_range },	  { "unit", take_unit },
		{ "idle_watts", take_idle }, { "quality", take_quality },
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
	struct scaph_trace *trace = &parser->trace;
	size_t room = parser->room ? 2 * parser->room : 1024;
	uint64_t *grown;

	if (trace->count < parser->room)
		return 0;
	grown = reallocarray(trace->mono_ns, room, sizeof(*grown));
	if (grown)
		trace->mono_ns = grown;
	if (grown)
		grown = reallocarray(trace->raw, room, trace->columns * sizeof(*grown));
	if (!grown)
		return bad(parser, "out of memory");
	trace->raw = grown;
	parser->room = room;
	return 0;
}

static int take_numbers(struct parser *parser, const char *time, char **words)
{
	struct scaph_trace *trace = &parser->trace;
	uint64_t raw[SCAPH_TRACE_COLUMNS_MAX], mono_ns;

	if (!trace->columns)
		return bad(parser, "numbers before the zones line");
	if (scaph_quantity_number(time, &mono_ns))
		return bad(parser, "needs a time in whole nanoseconds first");
	for (uint32_t i = 0; i < trace->columns; i++) {
		const struct scaph_trace_column *column = &trace->column[i];
		uint64_t range = trace->package[column->package].counter[column->zone].range;
		const char *word = strtok_r(NULL, BLANKS, words);

		if (!word || scaph_quantity_number(word, &raw[i]))
			return bad(parser, "needs one counter a zone in whole counts");
		if (range && raw[i] > range)
			return bad(parser, "a counter is above its zone's range");
	}
	if (trace->count && mono_ns <= trace->mono_ns[trace->count - 1])
		return bad(parser, "time does not go forward");
	if (make_room(parser))
		return -ENOMEM;
	memcpy(&trace->raw[trace->count * trace->columns], raw, trace->columns * sizeof(raw[0]));
	trace->mono_ns[trace->count++] = mono_ns;
	return 0;
}

/* What --record wrote for people and other programs: how CPU time and traffic were divided. */
static bool is_meter_line(const char *word)
{
	static const char *const words[] = { "window", "cpu", "self", "traffic", "bytes" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], word) == 0)
			return true;
	}
	return false;
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
	if (!word || *word == '#' || is_meter_line(word))
		return 0;
	r = *word >= '0' && *word <= '9' ? take_numbers(parser, word, &words)
					 : take_header(parser, word, &words);
	if (r == 0 && strtok_r(NULL, BLANKS, &words))
		return bad(parser, "more stands there than belongs on such a line");
	return r;
}

/*
 * A line of the file. One of numbers has its end: what a killed recorder or a full disk left of it
 * would be other numbers than were meant.
 */
static int take_whole_line(struct parser *parser, char *text, size_t length)
{
	if (strlen(text) != length)
		return bad(parser, "a NUL byte");
	if (text[length - 1] != '\n' && *text >= '0' && *text <= '9')
		return bad(parser,
			   "this last line has no end and may be cut short: end it, or take it "
			   "away");
	return take_line(parser, text);
}

static int take_file(struct parser *parser, FILE *file)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t got;
	int r = 0;

	while (r == 0 && (got = getline(&text, &size, file)) >= 0) {
		parser->line++;
		r = take_whole_line(parser, text, (size_t)got);
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
	free(trace->mono_ns);
	free(trace->raw);
	*trace = (struct scaph_trace){};
}
