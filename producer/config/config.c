/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c - the order in which options count, and the INI file: the only user of inih
 *
 * Lines are read here and counted: inih cuts those that exceed its buffer into two and would take
 * the rest for a key, and it tells the line of a mistake only after the whole file.
 */
#include "producer/config/options.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "producer/process/log.h"

#define SECTION "scaphd"
#define USUAL_FILE SCAPH_CONFIG_DIR "/scaphd.conf"

struct reading {
	const char *path;
	FILE *file;
	int line; /* the one read last */
	int wrong_line; /* of the first mistake; 0: none */
	char wrong[512];
	struct scaph_config *config;
};

__attribute__((format(printf, 2, 3))) static void note(struct reading *reading, const char *format,
						       ...)
{
	va_list args;

	if (reading->wrong_line)
		return;
	reading->wrong_line = reading->line;
	va_start(args, format);
	vsnprintf(reading->wrong, sizeof(reading->wrong), format, args);
	va_end(args);
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
		note(reading,
		     "the line has more than %d bytes or a NUL in it; give such a value "
		     "on the command line",
		     size - 2);
		return NULL;
	}
	return line;
}

static int key_found(void *user, const char *section, const char *key, const char *value)
{
	struct reading *reading = user;
	char origin[PATH_MAX + 256];
	const char *wrong;

	if (reading->wrong_line)
		return 0;
	if (strcmp(section, SECTION) != 0) {
		note(reading, "\"%s\" stands in section [%s]; keys belong into [" SECTION "]", key,
		     section);
		return 0;
	}
	snprintf(origin, sizeof(origin), "%s:%d: %s", reading->path, reading->line, key);
	wrong = scaph_options_key(reading->config, key, value, origin);
	if (wrong)
		note(reading, "%s = %s: %s", key, value, wrong);
	return !wrong;
}

static int read_file(struct scaph_config *config, const char *path)
{
	struct reading reading = { .path = path, .config = config };
	bool failed;
	int r;

	config->file_given = true;
	reading.file = fopen(path, "re");
	if (!reading.file) {
		scaph_error("%s: cannot be read: %s; give --config a readable file", path,
			    strerror(errno));
		return -EINVAL;
	}
	errno = 0;
	r = ini_parse_stream(next_line, &reading, key_found, &reading);
	failed = ferror(reading.file);
	fclose(reading.file);
	if (failed) {
		scaph_error("%s: cannot be read: %s; give --config a readable file", path,
			    strerror(errno));
		return -EINVAL;
	}
	/* A line that inih itself could not take, before any that the table refused. */
	if (r > 0 && (!reading.wrong_line || r < reading.wrong_line)) {
		scaph_error("%s:%d: neither a [section] nor a \"key = value\" line", path, r);
		return -EINVAL;
	}
	if (reading.wrong_line) {
		scaph_error("%s:%d: %s", path, reading.wrong_line, reading.wrong);
		return -EINVAL;
	}
	if (r < 0) {
		scaph_error("%s: out of memory", path);
		return -EINVAL;
	}
	return 0;
}

int scaph_config_read(int argc, char **argv, struct scaph_config *ret_config)
{
	struct scaph_config config = {};
	int r = scaph_options_defaults(&config);

	/* Files come first wherever --config stands, so that the command line wins over them. */
	if (r == 0)
		r = scaph_options_pass(argc, argv, &config, read_file);
	if (r == 0 && !config.file_given && access(USUAL_FILE, F_OK) == 0)
		r = read_file(&config, USUAL_FILE);
	if (r == 0)
		r = scaph_options_pass(argc, argv, &config, NULL);
	if (r) {
		scaph_config_clear(&config);
		return r;
	}
	*ret_config = config;
	return 0;
}

bool scaph_config_names_group(const struct scaph_config *config)
{
	for (uint32_t i = 0; i < config->domains.count; i++) {
		if (strstr(config->domains.item[i].text, SCAPH_CONFIG_IS_GROUP))
			return true;
	}
	return false;
}
