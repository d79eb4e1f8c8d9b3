/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.c - a request to scaphd
 */
#include "tools/vm/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/vm/say.h"

#define PATIENCE_S 2

static int reach(const char *dir)
{
	static const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, r = 0;

	if (folder < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		r = -errno;
	/* By its folder's descriptor: a path may be longer than an address has room for. */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/control", folder);
	if (r == 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			r = errno == ECONNREFUSED ? -ENOENT : -errno;
	}
	close(folder);
	if (r == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return r;
}

bool scaph_daemon_runs(const char *dir)
{
	int fd = reach(dir);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int scaph_daemon_ask(const char *dir, const char *verb, const char *uuid)
{
	char words[128], answer[512];
	ssize_t got = -1;
	int fd = reach(dir), r = 0;

	if (fd == -ENOENT)
		return fd;
	if (fd < 0) {
		scaph_vm_error("%s/control: %s; be root, or restart scaphd", dir, strerror(-fd));
		return fd;
	}
	snprintf(words, sizeof(words), "%s %s", verb, uuid);
	if (send(fd, words, strlen(words), MSG_NOSIGNAL) < 0)
		r = -errno;
	else if ((got = recv(fd, answer, sizeof(answer) - 1, 0)) <= 0)
		r = got < 0 ? -errno : -ECONNRESET;
	close(fd);
	answer[got > 0 ? got : 0] = '\0';
	if (r == 0 && strcmp(answer, "ok") == 0)
		return 0;
	scaph_vm_error("scaphd does not %s %s: %s; restart it", verb, uuid,
		       r ? strerror(-r) : answer);
	return r ? r : -EIO;
}
