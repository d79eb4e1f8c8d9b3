/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topology_file.c - lines of "package ID = CPUS"
 */
#include "producer/machine/topology_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "producer/config/quantity.h"
#include "producer/machine/attribute.h"
#include "producer/process/log.h"

#define BLANKS " \t"
#define LINES_MAX 65536U
#define BYTES_MAX (1 << 20)

struct parser {
	const char *path;
	uint32_t line;
	uint32_t *package_id; /* by CPU */
	bool any;
};

static int bad(const struct parser *parser, const char *what)
{
	scaph_error("%s:%u: %s; a line is \"package ID = CPUS\", such as package 0 = 0-3,8",
		    parser->path, parser->line, what);
	return -EINVAL;
}

/* CPUs of a line get their package, each for the first time. */
static int take_cpus(struct parser *parser, uint32_t package_id, const char *list)
{
	bool set[SCAPH_CPUS_MAX], some = false;
	char what[48];
	int r = scaph_attribute_parse_cpus(list, set);

	if (r == -ERANGE)
		return bad(parser, "this version knows no CPU of such a number");
	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX && r == 0; cpu++) {
		if (!set[cpu])
			continue;
		if (parser->package_id[cpu] != SCAPH_TOPOLOGY_FILE_NONE) {
			snprintf(what, sizeof(what), "CPU %u is named twice", cpu);
			return bad(parser, what);
		}
		parser->package_id[cpu] = package_id;
		some = parser->any = true;
	}
	return r || !some ? bad(parser, "no list of CPUs") : 0;
}

static int take_line(struct parser *parser, char *text)
{
	char *words = NULL, *word, *id, *list;
	uint64_t package_id;

	text[strcspn(text, "#\r\n")] = '\0';
	list = strchr(text, '=');
	if (!list)
		return text[strspn(text, BLANKS)] ? bad(parser, "no line of a topology") : 0;
	*list++ = '\0';
	word = strtok_r(text, BLANKS, &words);
	id = word ? strtok_r(NULL, BLANKS, &words) : NULL;
	if (!id || strcmp(word, "package") != 0 || strtok_r(NULL, BLANKS, &words))
		return bad(parser, "no line of a topology");
	if (scaph_quantity_number(id, &package_id) || package_id >= SCAPH_TOPOLOGY_FILE_NONE)
		return bad(parser, "the package's id is no number");
	words = NULL;
	list = strtok_r(list, BLANKS, &words);
	if (!list || strtok_r(NULL, BLANKS, &words))
		return bad(parser, "no list of CPUs");
	return take_cpus(parser, (uint32_t)package_id, list);
}

static int take_file(struct parser *parser, FILE *file)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t got;
	int r = 0;

	while (r == 0 && (got = getline(&text, &size, file)) >= 0) {
		parser->line++;
		r = strlen(text) != (size_t)got ? bad(parser, "a NUL byte")
		    : parser->line > LINES_MAX	? bad(parser, "too many lines")
						: take_line(parser, text);
	}
	free(text);
	return r == 0 && ferror(file) ? -EIO : r;
}

/* A FIFO would keep the daemon waiting, a device would never end, and a whole disk may be one line. */
static int judge(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	return st.st_size > BYTES_MAX ? -EFBIG : 0;
}

static int open_regular(const char *path, FILE **ret_file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;

	if (fd < 0)
		return -errno;
	r = judge(fd);
	if (r == 0) {
		*ret_file = fdopen(fd, "r");
		if (*ret_file)
			return 0;
		r = -errno;
	}
	close(fd);
	return r;
}

int scaph_topology_file_read(const char *path, const char *origin,
			     uint32_t ret_package_id[SCAPH_CPUS_MAX])
{
	uint32_t package_id[SCAPH_CPUS_MAX];
	struct parser parser = { .path = path, .package_id = package_id };
	FILE *file;
	int r = open_regular(path, &file);

	if (r) {
		scaph_error("%s %s: %s; give it a file of lines \"package ID = CPUS\"", origin,
			    path, r == -EINVAL ? "no ordinary file" : strerror(-r));
		return r;
	}
	for (uint32_t cpu = 0; cpu < SCAPH_CPUS_MAX; cpu++)
		package_id[cpu] = SCAPH_TOPOLOGY_FILE_NONE;
	r = take_file(&parser, file);
	fclose(file);
	if (r == -EIO)
		scaph_error("%s %s: it cannot be read", origin, path);
	if (r == 0 && !parser.any) {
		scaph_error("%s %s: it names no CPU; a line is \"package ID = CPUS\"", origin,
			    path);
		r = -ENODATA;
	}
	if (r == 0)
		memcpy(ret_package_id, package_id, sizeof(package_id));
	return r;
}
