/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.c - the only user of inih in scaph-vm
 *
 * Lines are read and counted here: inih cuts those that exceed its buffer into two.
 */
#include "tools/vm/settings.h"

#include <errno.h>
#include <fnmatch.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/vm/say.h"
#include "tools/vm/transport.h"

#define SECTION "scaph-vm"

struct reading {
	FILE *file;
	struct scaph_settings *settings;
	int line, wrong_line; /* of the first mistake; 0: none */
	const char *wrong;
};

static int note(struct reading *reading, const char *wrong)
{
	if (!reading->wrong_line) {
		reading->wrong_line = reading->line;
		reading->wrong = wrong;
	}
	return 0;
}

static char *next_line(char *line, int size, void *user)
{
	struct reading *reading = user;
	size_t length;

	if (!fgets(line, size, reading->file))
		return NULL;
	reading->line++;
	length = strlen(line);
	if (length && line[length - 1] != '\n' && !feof(reading->file)) {
		note(reading, "the line is too long, or has a NUL in it");
		return NULL;
	}
	return line;
}

static int add(struct reading *reading, struct scaph_settings_patterns *patterns, const char *value)
{
	if (!*value)
		return note(reading, "the pattern is empty; * matches every name");
	if (patterns->count == SCAPH_SETTINGS_PATTERNS_MAX)
		return note(reading, "there are more than 64 patterns");
	patterns->pattern[patterns->count] = strdup(value);
	if (!patterns->pattern[patterns->count])
		return note(reading, "out of memory");
	patterns->count++;
	return 1;
}

static int key_found(void *user, const char *section, const char *key, const char *value)
{
	struct reading *reading = user;
	struct scaph_settings *settings = reading->settings;
	unsigned int transport;

	if (strcmp(section, SECTION) != 0)
		return note(reading, "keys belong into [" SECTION "]");
	if (strcmp(key, "auto-enable") == 0)
		return add(reading, &settings->enable, value);
	if (strcmp(key, "auto-except") == 0)
		return add(reading, &settings->except, value);
	if (strcmp(key, "auto-transport") != 0)
		return note(reading, "the keys are auto-enable, auto-except and auto-transport");
	transport = scaph_transport_parse(value);
	settings->transports |= transport;
	return transport ? 1 : note(reading, "a transport is virtiofs, 9p or ivshmem");
}

static int complain(const char *path, const char *wrong)
{
	scaph_vm_error("%s: %s", path, wrong);
	return -EINVAL;
}

static int parse(FILE *file, const char *path, struct scaph_settings *settings)
{
	struct reading reading = { .file = file, .settings = settings };
	int r = ini_parse_stream(next_line, &reading, key_found, &reading);

	if (ferror(file))
		return complain(path, "cannot be read; see that it is a file");
	if (r > 0 && (!reading.wrong_line || r < reading.wrong_line)) {
		reading.wrong_line = r;
		reading.wrong = "neither a [section] nor a \"key = value\" line";
	}
	if (r < 0)
		return complain(path, "out of memory");
	if (!reading.wrong_line)
		return 0;
	scaph_vm_error("%s:%d: %s", path, reading.wrong_line, reading.wrong);
	return -EINVAL;
}

int scaph_settings_read(const char *path, struct scaph_settings *ret_settings)
{
	struct scaph_settings settings = {};
	FILE *file = fopen(path, "re");
	struct stat st;
	int r = 0;

	if (!file && (errno == ENOENT || errno == ENOTDIR)) {
		*ret_settings = settings;
		return 0;
	}
	if (!file)
		return complain(path, strerror(errno));
	if (fstat(fileno(file), &st) < 0 || !S_ISREG(st.st_mode) || st.st_mode & 022 ||
	    (st.st_uid != 0 && st.st_uid != geteuid()))
		r = complain(path, "others own it or may write to it; chown it to root and chmod "
				   "0644 it");
	if (r == 0)
		r = parse(file, path, &settings);
	fclose(file);
	if (r)
		scaph_settings_deinit(&settings);
	else
		*ret_settings = settings;
	return r;
}

static void clear(struct scaph_settings_patterns *patterns)
{
	for (unsigned int i = 0; i < patterns->count; i++)
		free(patterns->pattern[i]);
}

void scaph_settings_deinit(struct scaph_settings *settings)
{
	clear(&settings->enable);
	clear(&settings->except);
	*settings = (struct scaph_settings){};
}

static bool matches(const struct scaph_settings_patterns *patterns, const char *name)
{
	for (unsigned int i = 0; i < patterns->count; i++) {
		if (fnmatch(patterns->pattern[i], name, 0) == 0)
			return true;
	}
	return false;
}

bool scaph_settings_choose(const struct scaph_settings *settings, const char *name)
{
	return matches(&settings->enable, name) && !matches(&settings->except, name);
}
