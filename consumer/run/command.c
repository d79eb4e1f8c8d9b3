/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.c - start, hand signals on, wait
 */
#include "consumer/run/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* As they were before we took them in hand: the command's. */
static struct sigaction interrupt, quit, broken_pipe;
static sigset_t mask;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

int scaph_command_prepare(struct scaph_command *command)
{
	const struct sigaction ignored = { .sa_handler = SIG_IGN };
	sigset_t ours;

	sigaction(SIGINT, &ignored, &interrupt);
	sigaction(SIGQUIT, &ignored, &quit);
	sigaction(SIGPIPE, &ignored, &broken_pipe);
	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, &mask);
	*command = (struct scaph_command){ .signal_fd = signalfd(-1, &ours, SFD_CLOEXEC) };
	return command->signal_fd < 0 ? -errno : 0;
}

/* In the child. */
static void become(int error_fd, char **words)
{
	int error;

	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	sigaction(SIGPIPE, &broken_pipe, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	execvp(words[0], words);
	error = errno;
	if (write(error_fd, &error, sizeof(error)) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_FAILURE);
}

int scaph_command_start(struct scaph_command *command, char **words)
{
	int fds[2], error = 0;
	ssize_t got;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return errno;
	command->begin_ns = now_ns();
	child = fork();
	if (child == 0)
		become(fds[1], words);
	close(fds[1]);
	if (child < 0) {
		close(fds[0]);
		return EAGAIN;
	}
	/* Its end closes when the command takes its place. */
	do {
		got = read(fds[0], &error, sizeof(error));
	} while (got < 0 && errno == EINTR);
	close(fds[0]);
	if (got == (ssize_t)sizeof(error)) {
		waitpid(child, NULL, 0);
		return error ? error : ENOEXEC;
	}
	command->pid = child;
	return 0;
}

static uint64_t time_ns(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * 1000000000ULL + (uint64_t)tv.tv_usec * 1000;
}

struct scaph_outcome scaph_command_await(struct scaph_command *command)
{
	struct scaph_outcome outcome = { .begin_ns = command->begin_ns };
	struct rusage usage = {};
	int status = 0;

	while (wait4(command->pid, &status, WNOHANG, &usage) != command->pid) {
		struct signalfd_siginfo info;

		if (read(command->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
			continue;
		if (info.ssi_signo != SIGCHLD)
			kill(command->pid, (int)info.ssi_signo);
	}
	outcome.end_ns = now_ns();
	outcome.cpu_ns = time_ns(usage.ru_utime) + time_ns(usage.ru_stime);
	outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	outcome.status = outcome.signal ? 128 + outcome.signal : WEXITSTATUS(status);
	return outcome;
}
