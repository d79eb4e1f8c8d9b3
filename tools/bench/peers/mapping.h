/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapping.h - a file on tmpfs, mapped for writing, for peers that bring no memory of their own
 *
 * So they live in the same kind of memory as a segment: shared pages of a file. Owned by whoever
 * embeds it; open() and close() of a peer use it, its loops only the bytes.
 */
#ifndef SCAPH_BENCH_MAPPING_H
#define SCAPH_BENCH_MAPPING_H

#include <limits.h>
#include <stddef.h>

struct bench_mapping {
	char path[PATH_MAX];
	void *bytes; /* zeros at first; page aligned */
	size_t length_bytes;
};

/* Return: 0 or a negative errno. An existing file of that name is an error. */
int bench_mapping_init(struct bench_mapping *mapping, const char *folder, const char *name,
		       size_t length_bytes);
void bench_mapping_deinit(struct bench_mapping *mapping);

#endif
