/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made.c - the list on the disk
 */
#include "consumer/setup/made.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/crc32c.h"

#define HEADING "scaph guest-setup 1\n"

/* The list's own folder and those above, which an image may lack. */
static const char *const homes[SCAPH_MADE_HOMES] = { "/var", "/var/lib", "/var/lib/scaph" };

static const char *const words[SCAPH_MADE_KINDS] = {
	[SCAPH_MADE_FOLDER] = "folder",	  [SCAPH_MADE_FILE] = "file",
	[SCAPH_MADE_LINK] = "link",	  [SCAPH_MADE_FSTAB] = "fstab",
	[SCAPH_MADE_GROUP] = "group",	  [SCAPH_MADE_DEVICE] = "device",
	[SCAPH_MADE_SERVICE] = "service", [SCAPH_MADE_MOUNT] = "mount",
};

uint32_t scaph_made_sum(const char *text)
{
	return scaph_crc32c_final(scaph_crc32c_update(SCAPH_CRC32C_INIT, text, strlen(text)));
}

/* "KIND SUM WHAT"; a path or a name has no control characters. */
static bool take_line(struct scaph_made *made, char *line)
{
	struct scaph_made_entry entry = { .kind = SCAPH_MADE_KINDS };
	char *sum = strchr(line, ' '), *what;
	unsigned long value;

	if (!sum || made->count == SCAPH_MADE_MAX)
		return false;
	*sum++ = '\0';
	for (unsigned int kind = 0; kind < SCAPH_MADE_KINDS; kind++) {
		if (strcmp(line, words[kind]) == 0)
			entry.kind = (enum scaph_made_kind)kind;
	}
	value = strtoul(sum, &what, 16);
	if (entry.kind == SCAPH_MADE_KINDS || what != sum + 8 || *what != ' ' || !what[1])
		return false;
	/* What is not a name is a path within the tree. */
	if ((entry.kind != SCAPH_MADE_GROUP && entry.kind != SCAPH_MADE_SERVICE) !=
	    (what[1] == '/'))
		return false;
	entry.sum = (uint32_t)value;
	entry.what = strdup(what + 1);
	if (!entry.what)
		return false;
	made->entry[made->count++] = entry;
	return true;
}

int scaph_made_load(const struct scaph_tree *tree, struct scaph_made *ret_made)
{
	struct scaph_made made = { .tree = tree };
	char *text, *rest, *line;
	bool good;
	int r = scaph_tree_read(tree, SCAPH_MADE_PATH, &text);

	if (r == -ENOENT) {
		*ret_made = made;
		return 0;
	}
	if (r)
		return r;
	good = strncmp(text, HEADING, strlen(HEADING)) == 0;
	rest = text + (good ? strlen(HEADING) : 0);
	while (good && (line = strsep(&rest, "\n")) && *line)
		good = take_line(&made, line);
	free(text);
	if (!good) {
		scaph_made_clear(&made);
		return -EINVAL;
	}
	*ret_made = made;
	return 0;
}

void scaph_made_clear(struct scaph_made *made)
{
	while (made->count)
		free(made->entry[--made->count].what);
}

static int save(struct scaph_made *made)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return -ENOMEM;
	fputs(HEADING, out);
	for (uint32_t i = 0; i < made->count; i++)
		fprintf(out, "%s %08" PRIx32 " %s\n", words[made->entry[i].kind],
			made->entry[i].sum, made->entry[i].what);
	r = fclose(out) == 0 ? 0 : -ENOMEM;
	if (r == 0)
		r = scaph_tree_write(made->tree, SCAPH_MADE_PATH, text, 0600);
	free(text);
	return r;
}

struct scaph_made_entry *scaph_made_find(struct scaph_made *made, enum scaph_made_kind kind,
					 const char *what)
{
	for (uint32_t i = 0; i < made->count; i++) {
		if (made->entry[i].kind == kind && strcmp(made->entry[i].what, what) == 0)
			return &made->entry[i];
	}
	return NULL;
}

static int append(struct scaph_made *made, enum scaph_made_kind kind, const char *what)
{
	struct scaph_made_entry *entry = &made->entry[made->count];

	if (made->count == SCAPH_MADE_MAX)
		return -E2BIG;
	*entry = (struct scaph_made_entry){ .kind = kind, .what = strdup(what) };
	if (!entry->what)
		return -ENOMEM;
	made->count++;
	return 0;
}

/* Where the list will lie. The one thing that is listed after it was made. */
static int make_homes(struct scaph_made *made)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < SCAPH_MADE_HOMES; i++) {
		r = scaph_tree_make_folder(made->tree, homes[i]);
		if (r == 0)
			r = append(made, SCAPH_MADE_FOLDER, homes[i]);
		else if (r == -EEXIST)
			r = 0;
	}
	return r;
}

int scaph_made_add(struct scaph_made *made, enum scaph_made_kind kind, const char *what,
		   uint32_t sum)
{
	struct scaph_made_entry *entry;
	int r = made->count || made->unsaved ? 0 : make_homes(made);

	entry = scaph_made_find(made, kind, what);
	if (r == 0 && !entry) {
		r = append(made, kind, what);
		entry = &made->entry[made->count - 1];
	}
	if (r)
		return r;
	entry->sum = sum;
	return made->unsaved ? 0 : save(made);
}

static void note_home(struct scaph_made *made, const struct scaph_made_entry *entry)
{
	for (unsigned int i = 0; entry->kind == SCAPH_MADE_FOLDER && i < SCAPH_MADE_HOMES; i++)
		made->home[i] |= strcmp(entry->what, homes[i]) == 0;
}

int scaph_made_drop(struct scaph_made *made)
{
	int r;

	note_home(made, &made->entry[--made->count]);
	free(made->entry[made->count].what);
	if (made->count)
		return save(made);
	r = scaph_tree_remove(made->tree, SCAPH_MADE_PATH);
	for (unsigned int i = SCAPH_MADE_HOMES; i-- > 0;) {
		if (made->home[i])
			scaph_tree_remove_folder(made->tree, homes[i]);
	}
	return r == -ENOENT ? 0 : r;
}

void scaph_made_tidy(struct scaph_made *made)
{
	scaph_tree_sweep(made->tree, SCAPH_MADE_PATH);
	if (!made->count)
		scaph_tree_remove_folder(made->tree, homes[SCAPH_MADE_HOMES - 1]);
}
