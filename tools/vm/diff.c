/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff.c - longest common subsequence of lines, between what both have at the beginning and the end
 */
#include "tools/vm/diff.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/names.h"

#define CONTEXT 3U
#define CELLS_MAX (64U << 20) /* of the table; larger middles are shown as replaced */

struct line {
	const char *text;
	size_t length; /* without its newline */
};

struct lines {
	struct line *line;
	size_t count;
};

/* One line of the result: ' ', '-' or '+'. */
struct edit {
	char sign;
	const struct line *line;
};

struct script {
	struct edit *edit;
	size_t count;
};

static int split(const char *text, struct lines *ret)
{
	size_t count = 0;

	for (const char *at = text; *at; count++)
		at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n');
	ret->line = calloc(count + 1, sizeof(*ret->line));
	ret->count = count;
	if (!ret->line)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(text, "\n");

		ret->line[i] = (struct line){ text, length };
		text += length + (text[length] == '\n');
	}
	return 0;
}

static bool same(const struct line *a, const struct line *b)
{
	return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static void put(struct script *script, char sign, const struct line *line)
{
	script->edit[script->count++] = (struct edit){ sign, line };
}

static void replace(struct script *script, const struct lines *a, const struct lines *b)
{
	for (size_t i = 0; i < a->count; i++)
		put(script, '-', &a->line[i]);
	for (size_t i = 0; i < b->count; i++)
		put(script, '+', &b->line[i]);
}

/* table[i][j]: the longest common subsequence of a from i on and b from j on. */
static int compare(struct script *script, const struct lines *a, const struct lines *b)
{
	size_t wide = b->count + 1, i = 0, j = 0;
	uint32_t *table;

	if ((a->count + 1) > CELLS_MAX / wide) {
		replace(script, a, b);
		return 0;
	}
	table = calloc((a->count + 1) * wide, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (size_t m = a->count; m-- > 0;) {
		for (size_t n = b->count; n-- > 0;) {
			uint32_t down = table[(m + 1) * wide + n], right = table[m * wide + n + 1];

			table[m * wide + n] = same(&a->line[m], &b->line[n])
						      ? table[(m + 1) * wide + n + 1] + 1
					      : down > right ? down
							     : right;
		}
	}
	while (i < a->count || j < b->count) {
		bool has_a = i < a->count, has_b = j < b->count;

		if (has_a && has_b && same(&a->line[i], &b->line[j])) {
			put(script, ' ', &a->line[i++]);
			j++;
		} else if (has_a &&
			   (!has_b || table[(i + 1) * wide + j] >= table[i * wide + j + 1])) {
			put(script, '-', &a->line[i++]);
		} else {
			put(script, '+', &b->line[j++]);
		}
	}
	free(table);
	return 0;
}

/* Without the lines that both begin and end with. */
static int build(const struct lines *a, const struct lines *b, struct script *ret)
{
	size_t least = a->count < b->count ? a->count : b->count, head = 0, tail = 0;
	struct lines middle_a, middle_b;
	int r;

	ret->edit = calloc(a->count + b->count + 1, sizeof(*ret->edit));
	if (!ret->edit)
		return -ENOMEM;
	while (head < least && same(&a->line[head], &b->line[head]))
		head++;
	while (tail < least - head &&
	       same(&a->line[a->count - 1 - tail], &b->line[b->count - 1 - tail]))
		tail++;
	middle_a = (struct lines){ a->line + head, a->count - head - tail };
	middle_b = (struct lines){ b->line + head, b->count - head - tail };
	for (size_t i = 0; i < head; i++)
		put(ret, ' ', &a->line[i]);
	r = compare(ret, &middle_a, &middle_b);
	for (size_t i = a->count - tail; i < a->count; i++)
		put(ret, ' ', &a->line[i]);
	return r;
}

/* Quotes are XML's own and stay; what lies between them is from outside. */
static void show(const struct edit *edit, FILE *out)
{
	const char *at = edit->line->text, *end = at + edit->line->length;

	fputc(edit->sign, out);
	while (at < end) {
		char piece[64], shown[4 * sizeof(piece)];
		size_t length = 0;

		while (at + length < end && length < sizeof(piece) - 1 && at[length] != '\'' &&
		       at[length] != '"')
			length++;
		/* Never cut a character in two. */
		while (at + length < end && length > 1 && (at[length] & 0xc0) == 0x80)
			length--;
		memcpy(piece, at, length);
		piece[length] = '\0';
		scaph_name_escape(piece, shown, sizeof(shown));
		fputs(shown, out);
		at += length;
		if (at < end && (*at == '\'' || *at == '"'))
			fputc(*at++, out);
	}
	fputc('\n', out);
}

static size_t end_of_hunk(const struct script *script, size_t first)
{
	size_t end = first, quiet = 0;

	for (size_t i = first; i < script->count && quiet <= 2 * CONTEXT; i++) {
		quiet = script->edit[i].sign == ' ' ? quiet + 1 : 0;
		if (!quiet)
			end = i + 1;
	}
	return end + CONTEXT < script->count ? end + CONTEXT : script->count;
}

static void show_hunk(const struct script *script, size_t from, size_t to, size_t line_a,
		      size_t line_b, FILE *out)
{
	size_t count_a = 0, count_b = 0;

	for (size_t i = from; i < to; i++) {
		count_a += script->edit[i].sign != '+';
		count_b += script->edit[i].sign != '-';
	}
	fprintf(out, "@@ -%zu,%zu +%zu,%zu @@\n", line_a + (count_a > 0), count_a,
		line_b + (count_b > 0), count_b);
	for (size_t i = from; i < to; i++)
		show(&script->edit[i], out);
}

static void show_all(const struct script *script, const char *name, FILE *out)
{
	size_t line_a = 0, line_b = 0, done = 0;
	bool headed = false;

	for (size_t i = 0; i < script->count; i++) {
		size_t from, to;

		if (script->edit[i].sign == ' ' || i < done)
			continue;
		if (!headed)
			fprintf(out, "--- %s (now)\n+++ %s (then)\n", name, name);
		headed = true;
		from = i > done + CONTEXT ? i - CONTEXT : done;
		to = end_of_hunk(script, i);
		for (size_t k = done; k < from; k++, line_a++)
			line_b++;
		show_hunk(script, from, to, line_a, line_b, out);
		for (size_t k = from; k < to; k++) {
			line_a += script->edit[k].sign != '+';
			line_b += script->edit[k].sign != '-';
		}
		done = to;
	}
}

int scaph_diff_print(const char *before, const char *after, const char *name, FILE *out)
{
	struct script script = {};
	struct lines a = {}, b = {};
	int r = split(before, &a);

	if (r == 0)
		r = split(after, &b);
	if (r == 0)
		r = build(&a, &b, &script);
	if (r == 0)
		show_all(&script, name, out);
	free(script.edit);
	free(a.line);
	free(b.line);
	return r;
}
