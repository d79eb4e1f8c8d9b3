/* SPDX-License-Identifier: Apache-2.0 */
/*
 * splice.h - changes to a text, collected first and then made all at once
 *
 * Each replaces a stretch of the old text; offsets are the old text's, so that one change does not move
 * the next. They come in any order and do not overlap.
 */
#ifndef SCAPH_VM_SPLICE_H
#define SCAPH_VM_SPLICE_H

#include <stddef.h>

#define SCAPH_SPLICES_MAX 16U

struct scaph_splices {
	struct {
		size_t start, end;
		char *text;
	} splice[SCAPH_SPLICES_MAX];
	unsigned int count;
	int error; /* the first one: 0 or a negative errno */
};

/* Replace [@start, @end) by @text, which is taken over; NULL is remembered as out of memory. */
void scaph_splices_add(struct scaph_splices *splices, size_t start, size_t end, char *text);

/**
 * scaph_splices_apply() - make the changes; @splices is empty afterwards
 *
 * Return:   0, or the first error while they were collected.
 */
int scaph_splices_apply(struct scaph_splices *splices, const char *old, char **ret_text);

/* From the beginning of its line, if only blanks are before; to its newline, if only blanks follow. */
size_t scaph_splice_line_start(const char *text, size_t at);
size_t scaph_splice_line_end(const char *text, size_t at);

#endif
