/* SPDX-License-Identifier: Apache-2.0 */
/*
 * surveyor.c - start, hear, kill, replace
 */
#include "consumer/prometheus/surveyor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "consumer/command/worker.h"

#define NS_PER_S 1000000000ULL
#define SILENT_NS (3 * NS_PER_S) /* no figure is shown that is older */
#define KILL_NS (10 * NS_PER_S)
#define RESTART_NS NS_PER_S /* between two starts */
#define TAKE_BYTES (1U << 20) /* at once */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static const char *place(const struct scaph_surveyor *surveyor)
{
	if (surveyor->place.replay)
		return surveyor->place.replay;
	return surveyor->place.path ? surveyor->place.path : "the usual places";
}

static int start(struct scaph_surveyor *surveyor)
{
	pid_t parent = getpid(), child;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		scaph_survey_run(scaph_worker_become(fds[1], parent), &surveyor->place,
				 &surveyor->survey);
		_exit(EXIT_SUCCESS);
	}
	close(fds[1]);
	if (child < 0) {
		int r = -errno;

		close(fds[0]);
		return r;
	}
	surveyor->child = child;
	surveyor->fd = fds[0];
	surveyor->killed = false;
	surveyor->filled = 0;
	surveyor->started_ns = surveyor->heard_ns = now_ns();
	return 0;
}

int scaph_surveyor_start(struct scaph_surveyor *surveyor, const struct scaph_survey_place *where)
{
	*surveyor = (struct scaph_surveyor){ .place = *where, .fd = -1 };
	return start(surveyor);
}

void scaph_surveyor_stop(struct scaph_surveyor *surveyor)
{
	if (surveyor->child > 0)
		kill(surveyor->child, SIGKILL);
	if (surveyor->fd >= 0)
		close(surveyor->fd);
	free(surveyor->buffer);
	free(surveyor->survey.exhibit);
	*surveyor = (struct scaph_surveyor){ .fd = -1 };
}

static void disconnect(struct scaph_surveyor *surveyor)
{
	if (surveyor->fd >= 0)
		close(surveyor->fd);
	surveyor->fd = -1;
}

static void kill_child(struct scaph_surveyor *surveyor)
{
	kill(surveyor->child, SIGKILL);
	surveyor->killed = true;
	disconnect(surveyor);
}

#define END(text) ((text)[sizeof(text) - 1] = '\0')

/* It reads what strangers wrote: what it sends is not believed blindly either. */
static void end_texts(struct scaph_exhibit *exhibit)
{
	END(exhibit->info.name);
	END(exhibit->info.uuid);
	END(exhibit->info.source);
	END(exhibit->info.meter);
	END(exhibit->info.profile);
	END(exhibit->info.mode);
	END(exhibit->reason);
}

/* The buffer begins with a whole survey: keep it, and what follows. */
static bool keep_survey(struct scaph_surveyor *surveyor, const struct scaph_survey_head *head,
			size_t bytes)
{
	size_t exhibits = head->exhibits * sizeof(struct scaph_exhibit);
	struct scaph_exhibit *exhibit = malloc(exhibits + 1);

	if (!exhibit)
		return false;
	memcpy(exhibit, surveyor->buffer + sizeof(*head), exhibits);
	for (uint32_t i = 0; i < head->exhibits; i++)
		end_texts(&exhibit[i]);
	free(surveyor->survey.exhibit);
	surveyor->survey = (struct scaph_survey){ .head = *head, .exhibit = exhibit };
	surveyor->has_survey = true;
	surveyor->heard_ns = surveyor->survey_ns = now_ns();
	surveyor->filled -= bytes;
	memmove(surveyor->buffer, surveyor->buffer + bytes, surveyor->filled);
	if (surveyor->hung_said)
		fprintf(stderr, "scaph: %s: answers again\n", place(surveyor));
	surveyor->hung_said = false;
	return true;
}

static bool take_surveys(struct scaph_surveyor *surveyor)
{
	bool news = false;

	while (surveyor->filled >= sizeof(struct scaph_survey_head)) {
		struct scaph_survey_head head;
		size_t bytes;

		memcpy(&head, surveyor->buffer, sizeof(head));
		if (head.exhibits > SCAPH_SURVEY_EXHIBITS_MAX) {
			kill_child(surveyor);
			return news;
		}
		head.reason[sizeof(head.reason) - 1] = '\0';
		bytes = sizeof(head) + head.exhibits * sizeof(struct scaph_exhibit);
		if (surveyor->filled < bytes || !keep_survey(surveyor, &head, bytes))
			break;
		news = true;
	}
	return news;
}

static bool make_room(struct scaph_surveyor *surveyor)
{
	char *grown;

	if (surveyor->size - surveyor->filled >= TAKE_BYTES)
		return true;
	grown = realloc(surveyor->buffer, surveyor->filled + TAKE_BYTES);
	if (!grown)
		return false;
	surveyor->buffer = grown;
	surveyor->size = surveyor->filled + TAKE_BYTES;
	return true;
}

bool scaph_surveyor_take(struct scaph_surveyor *surveyor)
{
	ssize_t got;

	if (surveyor->fd < 0 || !make_room(surveyor))
		return false;
	got = recv(surveyor->fd, surveyor->buffer + surveyor->filled, TAKE_BYTES, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		disconnect(surveyor);
		return false;
	}
	surveyor->filled += (size_t)got;
	return take_surveys(surveyor);
}

void scaph_surveyor_ask(struct scaph_surveyor *surveyor)
{
	/* A socket that is full has been asked often enough. */
	if (surveyor->fd >= 0)
		send(surveyor->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool scaph_surveyor_responds(const struct scaph_surveyor *surveyor)
{
	return surveyor->has_survey && now_ns() < surveyor->survey_ns + SILENT_NS;
}

static void say_hung(struct scaph_surveyor *surveyor)
{
	if (!surveyor->hung_said)
		fprintf(stderr,
			"scaph: %s: no answer for 3 s: the share hangs; no figures until it "
			"answers (is virtiofsd running on the host?)\n",
			place(surveyor));
	surveyor->hung_said = true;
}

void scaph_surveyor_tend(struct scaph_surveyor *surveyor)
{
	uint64_t at_ns = now_ns(), silent_ns = at_ns - surveyor->heard_ns;
	int status;

	if (surveyor->child > 0) {
		if (silent_ns >= SILENT_NS)
			say_hung(surveyor);
		if (!surveyor->killed && (silent_ns >= KILL_NS || surveyor->fd < 0))
			kill_child(surveyor);
		if (waitpid(surveyor->child, &status, WNOHANG) != surveyor->child)
			return;
		disconnect(surveyor);
		if (!surveyor->killed)
			fprintf(stderr, "scaph: the reading process ended; starting another\n");
		surveyor->child = 0;
	}
	if (at_ns >= surveyor->started_ns + RESTART_NS && start(surveyor) == 0)
		surveyor->replaced++;
}
