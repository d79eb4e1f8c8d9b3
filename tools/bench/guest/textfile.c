/* SPDX-License-Identifier: Apache-2.0 */
/*
 * textfile.c - the text file's two readers
 */
#include "tools/bench/guest/textfile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bench/guest/payload.h"

static uint64_t take(const char *path, bool as_scaphandre)
{
	char text[64];
	size_t length = 0;
	struct stat st;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (!as_scaphandre || fstat(fd, &st) == 0) {
		do {
			got = read(fd, text + length, sizeof(text) - 1 - length);
			length += got > 0 ? (size_t)got : 0;
		} while (as_scaphandre && got > 0);
	}
	close(fd);
	text[length] = '\0';
	return strtoull(text, NULL, 10);
}

void bench_textfile_read(struct bench_textfile *text)
{
	struct bench_mark begun = bench_cost_begin();
	uint64_t energy_uj = take(text->path, text->as_scaphandre);
	struct bench_mark spent = bench_cost_end(begun);
	uint64_t base_uj = bench_package_uj(0);

	text->reads++;
	if (energy_uj < base_uj || energy_uj < text->last_uj ||
	    (energy_uj - base_uj) % (bench_package_uj(1) - base_uj)) {
		text->bad++;
		return;
	}
	text->last_uj = energy_uj;
	bench_cost_add(&text->cost, spent, 1);
}
