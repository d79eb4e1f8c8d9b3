/* SPDX-License-Identifier: Apache-2.0 */
/*
 * textfile.h - a figure out of a text file: open, read, parse, close, the whole for each
 *
 * The least calls it takes, or those of Scaphandre's guest, that is of Rust's fs::read_to_string(): it asks for the size
 * first, which costs a request over virtiofs, and reads until there is no more.
 */
#ifndef SCAPH_BENCH_TEXTFILE_H
#define SCAPH_BENCH_TEXTFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/bench/guest/cost.h"

struct bench_textfile {
	const char *path;
	bool as_scaphandre;
	uint64_t last_uj;
	uint64_t reads;
	uint64_t bad; /* empty, cut, or not what was written */
	struct bench_cost cost;
};

/* One read; a bad one is counted and gives no sample. */
void bench_textfile_read(struct bench_textfile *text);

#endif
