/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c - the forked reader and its pipe
 */
#include "consumer/command/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SILENCE_NS                                                                                 \
	10000000000ULL /* a child that says nothing for so long hangs, whatever the timeout */
#define MESSAGE_BYTES_MAX (1U << 20)

enum message_type { PRINT, COMPLAIN, FAIL, FIGURE, ALIVE };

struct message {
	uint32_t type;
	uint32_t bytes; /* that follow */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void write_all(int fd, const void *bytes, size_t count)
{
	const char *at = bytes;

	while (count) {
		ssize_t n = write(fd, at, count);

		if (n < 0 && errno == EINTR)
			continue;
		/* The parent is gone: so is everybody who wanted this. */
		if (n < 0)
			_exit(EXIT_FAILURE);
		at += n;
		count -= (size_t)n;
	}
}

static void send(struct scaph_worker *worker, enum message_type type, const char *bytes,
		 size_t count)
{
	struct message message = { .type = type, .bytes = (uint32_t)count };

	write_all(worker->pipe_fd, &message, sizeof(message));
	write_all(worker->pipe_fd, bytes, count);
}

void scaph_worker_print(struct scaph_worker *worker, const char *text, size_t length)
{
	send(worker, PRINT, text, length < MESSAGE_BYTES_MAX ? length : MESSAGE_BYTES_MAX);
}

void scaph_worker_complain(struct scaph_worker *worker, const char *line)
{
	send(worker, COMPLAIN, line, strlen(line));
}

void scaph_worker_fail(struct scaph_worker *worker)
{
	send(worker, FAIL, "", 0);
}

void scaph_worker_figure(struct scaph_worker *worker)
{
	send(worker, FIGURE, "", 0);
}

void scaph_worker_alive(struct scaph_worker *worker)
{
	send(worker, ALIVE, "", 0);
}

/* In the child: nothing of the parent's but the pipe, so that nobody waits for an end of file that a hung child holds back. */
int scaph_worker_become(int kept_fd, pid_t parent)
{
	int null_fd = open("/dev/null", O_RDWR);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null_fd < 0)
		_exit(EXIT_FAILURE);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null_fd, fd);
	dup2(kept_fd, 3);
	close_range(4, ~0U, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A signal from the terminal is the parent's to act on. */
	signal(SIGINT, SIG_IGN);
	return 3;
}

/* The parent's state. */
struct command {
	int pipe_fd;
	int signal_fd;
	uint64_t deadline_ns; /* 0: none */
	uint64_t heard_ns;
	bool figure;
	bool complained;
	bool failed;
	FILE *out;
	const char *file; /* NULL: standard output */
	char *buffer;
	size_t filled;
};

/* Whoever reads our standard output has gone: end quietly, with what was reached. A file that is full is a failure. */
static bool print(struct command *command, const char *bytes, size_t count)
{
	if (fwrite(bytes, 1, count, command->out) == count && fflush(command->out) == 0)
		return true;
	if (command->file) {
		fprintf(stderr, "scaph: %s: %s\n", command->file, strerror(errno));
		command->failed = true;
	}
	return false;
}

static bool obey(struct command *command, const struct message *message, const char *bytes)
{
	switch (message->type) {
	case PRINT:
		return print(command, bytes, message->bytes);
	case COMPLAIN:
		command->complained = true;
		fprintf(stderr, "scaph: %.*s\n", (int)message->bytes, bytes);
		return true;
	case FAIL:
		command->failed = true;
		return true;
	case FIGURE:
		command->figure = true;
		return true;
	default:
		return true;
	}
}

/* Whole messages out of what came; false: the output is closed. */
static bool take_messages(struct command *command)
{
	struct message message;
	size_t at = 0;
	bool open = true;

	while (open && command->filled - at >= sizeof(message)) {
		memcpy(&message, command->buffer + at, sizeof(message));
		if (command->filled - at < sizeof(message) + message.bytes)
			break;
		open = obey(command, &message, command->buffer + at + sizeof(message));
		at += sizeof(message) + message.bytes;
	}
	memmove(command->buffer, command->buffer + at, command->filled - at);
	command->filled -= at;
	return open;
}

static int poll_timeout_ms(const struct command *command)
{
	uint64_t at_ns = now_ns(), until_ns = command->heard_ns + SILENCE_NS;

	if (command->deadline_ns && command->deadline_ns < until_ns)
		until_ns = command->deadline_ns;
	return until_ns > at_ns ? (int)((until_ns - at_ns) / 1000000 + 1) : 0;
}

static int hung(struct command *command, const struct scaph_view_options *options)
{
	bool silent = now_ns() >= command->heard_ns + SILENCE_NS;

	if (command->figure && !silent)
		return EXIT_SUCCESS;
	if (!command->complained)
		fprintf(stderr, "scaph: %s: %s\n",
			options->path ? options->path : "the usual places",
			silent ? "no answer for 10 s: the share hangs; is virtiofsd running on the "
				 "host?"
			       : "no figure within the time limit; the share may hang, or scaphd "
				 "may not be running");
	return command->figure && !silent ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Until the child has said all, the time is over, or a signal ends it; *ret_ended: the child is at its end. */
static int listen_to(struct command *command, const struct scaph_view_options *options,
		     bool *ret_ended)
{
	struct pollfd polls[] = { { .fd = command->pipe_fd, .events = POLLIN },
				  { .fd = command->signal_fd, .events = POLLIN } };

	for (;;) {
		int ready = poll(polls, 2, poll_timeout_ms(command));
		ssize_t got;

		if (ready == 0)
			return hung(command, options);
		if (ready < 0 && errno != EINTR)
			return EXIT_FAILURE;
		if (polls[1].revents)
			return command->figure ? EXIT_SUCCESS : EXIT_FAILURE;
		if (!polls[0].revents)
			continue;
		got = read(command->pipe_fd, command->buffer + command->filled,
			   2 * MESSAGE_BYTES_MAX - command->filled);
		if (got <= 0) {
			*ret_ended = true;
			return command->figure ? EXIT_SUCCESS : EXIT_FAILURE;
		}
		command->filled += (size_t)got;
		command->heard_ns = now_ns();
		if (!take_messages(command))
			return command->figure ? EXIT_SUCCESS : EXIT_FAILURE;
		if (command->deadline_ns && now_ns() >= command->deadline_ns)
			return hung(command, options);
	}
}

int scaph_worker_signal_fd(void)
{
	sigset_t ends;
	int fd;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &ends, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Before anything else: a place that cannot be written to is refused before a share is looked at. */
static int open_output(struct command *command, const struct scaph_view_options *options)
{
	int fd;

	command->out = stdout;
	command->file = options->file;
	if (!options->file)
		return 0;
	fd = open(options->file,
		  O_WRONLY | O_CREAT | O_CLOEXEC | (options->file_is_new ? O_EXCL : O_TRUNC), 0644);
	if (fd < 0 && errno == EEXIST)
		fprintf(stderr, "scaph: %s: is there already; give another name, or remove it\n",
			options->file);
	else if (fd < 0)
		fprintf(stderr, "scaph: %s: %s; give another\n", options->file, strerror(errno));
	if (fd < 0)
		return -errno;
	command->out = fdopen(fd, "w");
	return command->out ? 0 : -ENOMEM;
}

/* A file that was made for what did not come is gone again. */
static void close_output(struct command *command, const struct scaph_view_options *options)
{
	bool empty = ftello(command->out) == 0;

	if (!command->file)
		return;
	fclose(command->out);
	if (options->file_is_new && empty)
		unlink(command->file);
}

int scaph_worker_run(const struct scaph_view_options *options,
		     int (*work)(struct scaph_worker *worker,
				 const struct scaph_view_options *options))
{
	struct command command = { .heard_ns = now_ns(), .buffer = malloc(2 * MESSAGE_BYTES_MAX) };
	pid_t parent = getpid(), child;
	bool ended = false;
	int pipe_fds[2], status;

	if (open_output(&command, options) < 0)
		return EXIT_FAILURE;
	if (options->timeout_ns)
		command.deadline_ns = command.heard_ns + options->timeout_ns;
	command.signal_fd = scaph_worker_signal_fd();
	if (!command.buffer || command.signal_fd < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0) {
		fprintf(stderr, "scaph: cannot begin: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	child = fork();
	if (child == 0) {
		struct scaph_worker worker = {
			.pipe_fd = scaph_worker_become(pipe_fds[1], parent),
		};

		_exit(work(&worker, options));
	}
	close(pipe_fds[1]);
	if (child < 0) {
		fprintf(stderr, "scaph: cannot begin: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	command.pipe_fd = pipe_fds[0];
	status = listen_to(&command, options, &ended);
	/* Only a child at its own end is waited for: one that hangs cannot be killed before its share answers. */
	kill(child, SIGKILL);
	if (ended)
		waitpid(child, NULL, 0);
	close_output(&command, options);
	free(command.buffer);
	return command.failed ? EXIT_FAILURE : status;
}
