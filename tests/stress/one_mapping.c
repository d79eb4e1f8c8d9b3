/* SPDX-License-Identifier: Apache-2.0 */
/*
 * one_mapping.c - reader and writer of one process share one mapping of the segment
 *
 * The thread sanitizer knows addresses, not files: two mappings of one file never race for it. Linked with --wrap, so that the
 * production code's own mmap of the segment gives the mapping that is there already. It stays until the process ends.
 */
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *shared;
static size_t shared_bytes;

void *__real_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t bytes);
void *__wrap_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t bytes);

void *__wrap_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	void *map;

	if (fd < 0 || !(flags & MAP_SHARED))
		return __real_mmap64(at, bytes, prot, flags, fd, offset);
	pthread_mutex_lock(&lock);
	if (!shared) {
		shared = __real_mmap64(at, bytes, PROT_READ | PROT_WRITE, flags, fd, offset);
		shared_bytes = bytes;
	}
	map = bytes == shared_bytes ? shared : MAP_FAILED;
	pthread_mutex_unlock(&lock);
	return map;
}

int __wrap_munmap(void *at, size_t bytes)
{
	return at == shared ? 0 : __real_munmap(at, bytes);
}
