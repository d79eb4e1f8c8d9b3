/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapping.c - create, map, and remove again
 */
#include "tools/bench/peers/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int bench_mapping_init(struct bench_mapping *mapping, const char *folder, const char *name,
		       size_t length_bytes)
{
	int fd, r;

	r = snprintf(mapping->path, sizeof(mapping->path), "%s/%s", folder, name);
	if (r < 0 || (size_t)r >= sizeof(mapping->path))
		return -ENAMETOOLONG;
	fd = open(mapping->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = -posix_fallocate(fd, 0, (off_t)length_bytes);
	if (r)
		goto remove;
	/* Populated: first touches belong into no figure. */
	mapping->bytes =
		mmap(NULL, length_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (mapping->bytes == MAP_FAILED) {
		r = -errno;
		goto remove;
	}
	mapping->length_bytes = length_bytes;
	close(fd);
	return 0;

remove:
	close(fd);
	unlink(mapping->path);
	return r;
}

void bench_mapping_deinit(struct bench_mapping *mapping)
{
	munmap(mapping->bytes, mapping->length_bytes);
	unlink(mapping->path);
}
