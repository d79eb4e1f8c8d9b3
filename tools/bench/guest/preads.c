/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preads.c - stands between libscaph and pread()
 */
#include "tools/bench/guest/preads.h"

#include <sys/types.h>

#include "tools/bench/guest/cost.h"

ssize_t __real_pread64(int fd, void *to, size_t bytes, off_t offset);
ssize_t __wrap_pread64(int fd, void *to, size_t bytes, off_t offset);

struct bench_preads bench_preads;

ssize_t __wrap_pread64(int fd, void *to, size_t bytes, off_t offset)
{
	uint64_t begun_ns = bench_now_ns();
	ssize_t got = __real_pread64(fd, to, bytes, offset);

	bench_preads.ns += bench_now_ns() - begun_ns;
	bench_preads.count++;
	bench_preads.bytes += got > 0 ? (uint64_t)got : 0;
	return got;
}
