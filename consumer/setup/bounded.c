/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bounded.c - a child, a pipe, a deadline
 */
#include "consumer/setup/bounded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 20000
#define NOT_FOUND 127
#define PROGRAMS "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* The last line that was begun, without what cannot be shown. */
static void keep_line(const char *bytes, size_t count, char *said, size_t size)
{
	static const char end = '\n';
	size_t length = strlen(said);

	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == end) {
			if (i + 1 < count)
				length = 0;
		} else if (bytes[i] >= ' ' && bytes[i] != 0x7f && length + 1 < size) {
			said[length++] = bytes[i];
		}
	}
	said[length] = '\0';
}

/* Until the child has closed its end; false: it was not in time. */
static bool listen_to(int fd, char *said, size_t size)
{
	int64_t until_ms = now_ms() + LIMIT_MS;

	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		int64_t left_ms = until_ms - now_ms();
		char bytes[512];
		ssize_t got;

		if (left_ms <= 0)
			return false;
		if (poll(&ready, 1, (int)left_ms) <= 0)
			continue;
		got = read(fd, bytes, sizeof(bytes));
		if (got <= 0)
			return true;
		keep_line(bytes, (size_t)got, said, size);
	}
}

static int bounded(int (*call)(const void *context), const void *context, char *said, size_t size)
{
	int fds[2], status = 0;
	pid_t child;

	said[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		int null_fd = open("/dev/null", O_RDWR);

		dup2(null_fd, 0);
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		_exit(call(context));
	}
	close(fds[1]);
	if (child > 0 && !listen_to(fds[0], said, size)) {
		kill(child, SIGKILL);
		close(fds[0]);
		return -ETIMEDOUT;
	}
	close(fds[0]);
	if (child < 0)
		return -EAGAIN;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int scaph_bounded_call(int (*call)(const void *context), const void *context)
{
	char said[2];

	return bounded(call, context, said, sizeof(said));
}

static int become(const void *context)
{
	char *const *words = (char *const *)context;

	setenv("PATH", PROGRAMS, 1);
	setenv("LC_ALL", "C", 1);
	execvp(words[0], words);
	return NOT_FOUND;
}

int scaph_bounded_run(const char *const *words, char *ret_said, size_t size)
{
	return bounded(become, words, ret_said, size);
}
