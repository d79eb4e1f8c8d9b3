/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts.c - unit, fstab, udev rule
 *
 * Source: systemd.unit(5), "String escaping for inclusion in unit names" and "Specifiers"; fstab(5); udev(7).
 */
#include "consumer/setup/texts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "# scaph guest-setup: this line and the next; scaph guest-setup --undo removes both"
#define COMMON "ro,nosuid,nodev,noexec"

const char *scaph_mount_options(const char *type)
{
	return strcmp(type, "9p") == 0 ? COMMON ",trans=virtio,version=9p2000.L" : COMMON;
}

void scaph_unit_name(const char *dir, char *ret_name, size_t size)
{
	size_t used = 0;

	for (const char *at = dir + 1; *at && used + 8 < size; at++) {
		if (*at == '/')
			ret_name[used++] = '-';
		else if (isalnum((unsigned char)*at) || *at == ':' || *at == '_' ||
			 (*at == '.' && at != dir + 1))
			ret_name[used++] = *at;
		else
			used += (size_t)snprintf(ret_name + used, size - used, "\\x%02x",
						 (unsigned char)*at);
	}
	snprintf(ret_name + used, size - used, ".mount");
}

/* A percent sign begins a specifier in a unit. */
static void put_value(FILE *out, const char *key, const char *text)
{
	fprintf(out, "%s=", key);
	for (; *text; text++) {
		if (*text == '%')
			fputc('%', out);
		fputc(*text, out);
	}
	fputc('\n', out);
}

static char *ended(FILE *out, char **text)
{
	if (fclose(out) == 0)
		return *text;
	free(*text);
	return NULL;
}

char *scaph_unit_text(const struct scaph_mounted *mounted)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("# Made by scaph guest-setup; scaph guest-setup --undo removes it.\n"
	      "[Unit]\n"
	      "Description=Energy figures of this virtual machine\n"
	      "Documentation=man:scaph-guest-setup(1)\n"
	      "# No start of this guest waits for its host's share, or fails for want of it.\n"
	      "DefaultDependencies=no\n"
	      "Conflicts=umount.target\n"
	      "Before=umount.target scaph-exporter.service\n\n"
	      "[Mount]\n",
	      out);
	put_value(out, "What", mounted->tag);
	put_value(out, "Where", mounted->dir);
	put_value(out, "Type", mounted->type);
	put_value(out, "Options", scaph_mount_options(mounted->type));
	fputs("TimeoutSec=15\n\n[Install]\nWantedBy=multi-user.target\n", out);
	return ended(out, &text);
}

/* Blanks and what would begin a comment, as octal digits. */
static void put_field(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == ' ' || *text == '#')
			fprintf(out, "\\%03o", (unsigned char)*text);
		else
			fputc(*text, out);
	}
}

/* Whether a line of fstab mounts something at the folder. */
static bool mounts_at(const char *line, size_t length, const char *dir)
{
	char *field = NULL;
	size_t size, skip, width;
	FILE *out;
	bool same;

	skip = strspn(line, " \t");
	if (skip >= length || line[skip] == '#')
		return false;
	skip += strcspn(line + skip, " \t\n");
	skip += strspn(line + skip, " \t");
	if (skip >= length)
		return false;
	width = strcspn(line + skip, " \t\n");
	out = open_memstream(&field, &size);
	if (!out)
		return false;
	put_field(out, dir);
	fclose(out);
	/* A slash at the end says the same. */
	while (width > 1 && line[skip + width - 1] == '/')
		width--;
	same = field && width == strlen(field) && strncmp(line + skip, field, width) == 0;
	free(field);
	return same;
}

/*
 * Our two lines for a folder: the mark, and an entry for it behind. Or an entry for it without a mark, *ret_ours false.
 * Returns where they begin, NULL for none.
 */
static const char *find_lines(const char *fstab, const char *dir, bool *ret_ours,
			      const char **ret_end)
{
	const char *mark = NULL;

	for (const char *line = fstab; *line;) {
		size_t length = strcspn(line, "\n");
		const char *next = line + length + (line[length] == '\n');

		if (mounts_at(line, length, dir)) {
			*ret_ours = mark != NULL;
			*ret_end = next;
			return mark ? mark : line;
		}
		mark = length == strlen(MARK) && strncmp(line, MARK, length) == 0 ? line : NULL;
		line = next;
	}
	return NULL;
}

enum scaph_fstab scaph_fstab_find(const char *fstab, const char *dir)
{
	const char *end;
	bool ours;

	if (!find_lines(fstab, dir, &ours, &end))
		return SCAPH_FSTAB_NONE;
	return ours ? SCAPH_FSTAB_OURS : SCAPH_FSTAB_FOREIGN;
}

static void put_lines(FILE *out, const struct scaph_mounted *mounted)
{
	fputs(MARK "\n", out);
	put_field(out, mounted->tag);
	fputc(' ', out);
	put_field(out, mounted->dir);
	fprintf(out, " %s %s,nofail 0 0\n", mounted->type, scaph_mount_options(mounted->type));
}

char *scaph_fstab_with(const char *fstab, const struct scaph_mounted *mounted)
{
	size_t size, length = strlen(fstab);
	const char *begin, *end;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	bool ours;

	if (!out)
		return NULL;
	begin = find_lines(fstab, mounted->dir, &ours, &end);
	if (begin && ours) {
		fwrite(fstab, 1, (size_t)(begin - fstab), out);
		put_lines(out, mounted);
		fputs(end, out);
	} else {
		fputs(fstab, out);
		if (length && fstab[length - 1] != '\n')
			fputc('\n', out);
		put_lines(out, mounted);
	}
	return ended(out, &text);
}

char *scaph_fstab_without(const char *fstab, const char *dir, bool trim)
{
	size_t size, length;
	const char *begin, *end;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	bool ours;

	if (!out)
		return NULL;
	begin = find_lines(fstab, dir, &ours, &end);
	if (begin && ours) {
		length = (size_t)(begin - fstab);
		/* The line before had no end of its own. */
		if (trim && !*end && length && fstab[length - 1] == '\n')
			length--;
		fwrite(fstab, 1, length, out);
		fputs(end, out);
	} else {
		fputs(fstab, out);
	}
	return ended(out, &text);
}

char *scaph_rule_text(const char *group, char (*address)[16], uint32_t count)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out,
		"# Made by scaph guest-setup; scaph guest-setup --undo removes it.\n"
		"# Lets group %s read the energy figures that an ivshmem device holds.\n"
		"ACTION!=\"remove\", SUBSYSTEM==\"pci\", ",
		group);
	for (uint32_t i = 0; i < count; i++)
		fprintf(out, "%s%s%s", i ? "|" : "KERNEL==\"", address[i],
			i + 1 < count ? "" : "\", ");
	fprintf(out,
		"ATTR{vendor}==\"0x1af4\", ATTR{device}==\"0x1110\", "
		"RUN+=\"/bin/chgrp %s %%S%%p/resource2\", "
		"RUN+=\"/bin/chmod 0640 %%S%%p/resource2\"\n",
		group);
	return ended(out, &text);
}
