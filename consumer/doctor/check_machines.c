/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_machines.c - running machines that have our virtiofs share and memory that virtiofsd cannot see
 *
 * From the words of QEMU's command line: by hand, of Proxmox VE or of libvirt, whose objects and devices are JSON.
 *
 * Source: qemu(1), -object memory-backend-*, -machine memory-backend, -numa memdev; memory-backend-memfd is shared by default.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/doctor/exam.h"
#include "proto/names.h"

#define LINE_BYTES (1U << 20)
#define TAG "scaph"

struct line {
	char *bytes; /* words, each ended by a NUL, and one more at the end */
	size_t count;
};

static const char *next_word(const struct line *line, const char *word)
{
	const char *next = word ? word + strlen(word) + 1 : line->bytes;

	return next < line->bytes + line->count ? next : NULL;
}

/* "key=value" as a whole part of a word, or "key":"value" of JSON. */
static bool has_part(const char *word, const char *key, const char *value)
{
	char plain[300], json[300];
	size_t length;

	if (snprintf(plain, sizeof(plain), "%s=%s", key, value) >= (int)sizeof(plain) ||
	    snprintf(json, sizeof(json), "\"%s\":\"%s\"", key, value) >= (int)sizeof(json))
		return false;
	if (word[0] == '{')
		return strstr(word, json);
	length = strlen(plain);
	for (const char *at = word; (at = strstr(at, plain)); at++) {
		if ((at == word || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
			return true;
	}
	return false;
}

static bool is_shared(const char *object)
{
	if (strstr(object, "share=off") || strstr(object, "\"share\":false"))
		return false;
	return strstr(object, "memory-backend-memfd") || strstr(object, "share=on") ||
	       strstr(object, "\"share\":true");
}

/* The value of a key in "a,key=value,b"; false: there is none. */
static bool take_value(const char *word, const char *key, char *ret_value, size_t size)
{
	const char *at = strstr(word, key);
	size_t length;

	if (!at)
		return false;
	at += strlen(key);
	length = strcspn(at, ",");
	if (!length || length >= size)
		return false;
	memcpy(ret_value, at, length);
	ret_value[length] = '\0';
	return true;
}

static bool object_is_shared(const struct line *line, const char *id)
{
	for (const char *word = NULL; (word = next_word(line, word));) {
		if (strstr(word, "memory-backend-") && has_part(word, "id", id))
			return is_shared(word);
	}
	return false;
}

/* All of its memory is in objects that another process can map. */
static bool memory_is_shared(const struct line *line)
{
	const char *before = "";
	bool any = false;
	char id[128];

	for (const char *word = NULL; (word = next_word(line, word)); before = word) {
		bool machine = strcmp(before, "-machine") == 0 || strcmp(before, "-M") == 0;
		bool numa = strcmp(before, "-numa") == 0;

		if (!(machine && take_value(word, "memory-backend=", id, sizeof(id))) &&
		    !(numa && take_value(word, "memdev=", id, sizeof(id))))
			continue;
		if (!object_is_shared(line, id))
			return false;
		any = true;
	}
	return any;
}

static bool has_our_share(const struct line *line)
{
	for (const char *word = NULL; (word = next_word(line, word));) {
		if (strstr(word, "vhost-user-fs") && has_part(word, "tag", TAG))
			return true;
	}
	return false;
}

static bool is_qemu(const struct line *line)
{
	const char *program = next_word(line, NULL),
		   *slash = program ? strrchr(program, '/') : NULL;

	if (!program)
		return false;
	program = slash ? slash + 1 : program;
	return strncmp(program, "qemu-system-", 12) == 0 || strcmp(program, "qemu-kvm") == 0 ||
	       strcmp(program, "kvm") == 0;
}

static void name_machine(const struct line *line, char *ret_shown, size_t size)
{
	const char *before = "";
	char name[160] = "";

	for (const char *word = NULL; (word = next_word(line, word)); before = word) {
		if (strcmp(before, "-name") != 0)
			continue;
		if (strncmp(word, "guest=", 6) == 0)
			word += 6;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, ","), word);
		break;
	}
	scaph_name_escape(name, ret_shown, size);
}

static bool read_line(const char *procfs, const char *pid, struct line *line)
{
	char path[PATH_MAX];
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/%s/cmdline", procfs, pid) >= (int)sizeof(path))
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	line->count = fread(line->bytes, 1, LINE_BYTES, file);
	fclose(file);
	line->bytes[line->count] = '\0';
	return line->count > 0;
}

void scaph_check_machines(struct scaph_exam *exam)
{
	struct line line = { .bytes = malloc(LINE_BYTES + 1) };
	DIR *dir = opendir(exam->options->procfs);
	struct dirent *entry;
	char shown[700];

	while (line.bytes && dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !read_line(exam->options->procfs, entry->d_name, &line) || !is_qemu(&line) ||
		    !has_our_share(&line) || memory_is_shared(&line))
			continue;
		name_machine(&line, shown, sizeof(shown));
		scaph_exam_find(
			exam, SCAPH_FAULT_NO_MEMFD,
			"sudo scaph-vm enable DOMAIN, or give QEMU -object "
			"memory-backend-memfd,id=mem,share=on,size=... and -machine "
			"memory-backend=mem; then start it anew",
			"machine \"%s\", process %.16s: it has a virtiofs share, and memory "
			"that is not shared, so the guest cannot mount it",
			shown, entry->d_name);
	}
	if (dir)
		closedir(dir);
	free(line.bytes);
}
