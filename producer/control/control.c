/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.c - requests of root, one packet each
 *
 * The socket and its few connections are watched by an epoll of their own, which the main one watches in
 * turn.
 */
#include "producer/control/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/names.h"

#define NAME "control"
#define PEERS_MAX 8 /* at a time; one more is turned away */

struct scaph_control {
	int state_fd, epoll_fd, listen_fd;
	int peer[PEERS_MAX]; /* -1: free */
	const struct scaph_control_verb *verbs;
	void *context;
};

static bool watch(struct scaph_control *control, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int listen_at(struct scaph_control *control)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask = umask(0177);
	int r = 0;

	/* By the folder's descriptor: its path may be longer than an address has room for. */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" NAME,
		 control->state_fd);
	unlinkat(control->state_fd, NAME, 0);
	if (bind(control->listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(control->listen_fd, PEERS_MAX) < 0)
		r = -errno;
	umask(mask);
	return r;
}

int scaph_control_open(int state_fd, const struct scaph_control_verb *verbs, void *context,
		       struct scaph_control **ret_control)
{
	struct scaph_control *control = calloc(1, sizeof(*control));
	int r;

	if (!control)
		return -ENOMEM;
	*control = (struct scaph_control){
		.state_fd = state_fd,
		.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
		.listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
		.verbs = verbs,
		.context = context,
	};
	for (unsigned int i = 0; i < PEERS_MAX; i++)
		control->peer[i] = -1;
	r = control->epoll_fd < 0 || control->listen_fd < 0 ? -errno : listen_at(control);
	if (r == 0 && !watch(control, control->listen_fd))
		r = -errno;
	if (r)
		scaph_control_close(control);
	else
		*ret_control = control;
	return r;
}

void scaph_control_close(struct scaph_control *control)
{
	if (!control)
		return;
	for (unsigned int i = 0; i < PEERS_MAX; i++) {
		if (control->peer[i] >= 0)
			close(control->peer[i]);
	}
	if (control->listen_fd >= 0) {
		unlinkat(control->state_fd, NAME, 0);
		close(control->listen_fd);
	}
	if (control->epoll_fd >= 0)
		close(control->epoll_fd);
	free(control);
}

int scaph_control_fd(const struct scaph_control *control)
{
	return control->epoll_fd;
}

/* The mode keeps others away already; one whose mode was changed is not to be wider than that. */
static bool is_trusted(int fd)
{
	socklen_t size = sizeof(struct ucred);
	struct ucred peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void admit(struct scaph_control *control)
{
	int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	unsigned int at = 0;

	if (fd < 0)
		return;
	while (at < PEERS_MAX && control->peer[at] >= 0)
		at++;
	if (at == PEERS_MAX || !is_trusted(fd) || !watch(control, fd))
		close(fd);
	else
		control->peer[at] = fd;
}

/* The answer to one request; @words is changed. */
static const char *answer(struct scaph_control *control, char *words)
{
	const struct scaph_control_verb *verb = control->verbs;
	char *space = strchr(words, ' ');
	uint8_t uuid[SCAPH_UUID_BYTES];

	if (!space || scaph_uuid_parse(space + 1, uuid))
		return "a request is VERB UUID";
	*space = '\0';
	while (verb->word && strcmp(verb->word, words) != 0)
		verb++;
	if (!verb->word)
		return "no such request";
	return verb->act(control->context, uuid) == 0 ? "ok"
						      : "it failed, and the daemon's log says why";
}

/* One packet; a peer that is gone, or does not take its answer, is let go. */
static void serve(struct scaph_control *control, unsigned int at)
{
	int fd = control->peer[at];
	const char *text;
	char words[128];
	ssize_t got = recv(fd, words, sizeof(words) - 1, MSG_DONTWAIT);

	if (got > 0) {
		words[got] = '\0';
		text = answer(control, words);
		if (send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			return;
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(fd);
	control->peer[at] = -1;
}

void scaph_control_act(struct scaph_control *control)
{
	struct epoll_event event;

	if (epoll_wait(control->epoll_fd, &event, 1, 0) < 1)
		return;
	if (event.data.fd == control->listen_fd) {
		admit(control);
		return;
	}
	for (unsigned int i = 0; i < PEERS_MAX; i++) {
		if (control->peer[i] == event.data.fd)
			serve(control, i);
	}
}
