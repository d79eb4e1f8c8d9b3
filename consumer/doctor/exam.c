/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exam.c - a child, a socket, a deadline
 */
#include "consumer/doctor/exam.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "consumer/command/worker.h"

/* The last message: all has been looked at. */
#define DONE SCAPH_FAULTS

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void say(struct scaph_exam *exam, const struct scaph_finding *finding)
{
	if (send(exam->fd, finding, sizeof(*finding), MSG_NOSIGNAL) < 0)
		_exit(EXIT_FAILURE);
}

void scaph_exam_find(struct scaph_exam *exam, enum scaph_fault fault, const char *mend,
		     const char *format, ...)
{
	struct scaph_finding finding = { .fault = fault };
	va_list words;

	va_start(words, format);
	vsnprintf(finding.what, sizeof(finding.what), format, words);
	va_end(words);
	snprintf(finding.mend, sizeof(finding.mend), "%s", mend);
	say(exam, &finding);
}

static void examine(int fd, void (*check)(struct scaph_exam *exam),
		    const struct scaph_doctor_options *options)
{
	struct scaph_exam exam = { .options = options, .fd = fd };
	struct scaph_finding end = { .fault = DONE };

	/* For a program that the check runs. */
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	check(&exam);
	say(&exam, &end);
}

int scaph_patient_start(struct scaph_patient *patient, void (*check)(struct scaph_exam *exam),
			const struct scaph_doctor_options *options)
{
	pid_t parent = getpid(), child;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		/* A group of its own, with whatever program it runs. */
		setpgid(0, 0);
		examine(scaph_worker_become(fds[1], parent), check, options);
		_exit(EXIT_SUCCESS);
	}
	close(fds[1]);
	if (child < 0) {
		close(fds[0]);
		return -EAGAIN;
	}
	*patient = (struct scaph_patient){ .pid = child, .fd = fds[0] };
	return 0;
}

int scaph_patient_hear(struct scaph_patient *patient, uint64_t until_ns,
		       struct scaph_finding *ret_finding)
{
	struct pollfd ready = { .fd = patient->fd, .events = POLLIN };
	struct scaph_finding finding;
	uint64_t at_ns = now_ns();

	/* What has come already is taken, late or not. */
	while (poll(&ready, 1, at_ns < until_ns ? (int)((until_ns - at_ns) / 1000000 + 1) : 0) <=
	       0) {
		at_ns = now_ns();
		if (at_ns >= until_ns)
			return -ETIMEDOUT;
	}
	if (recv(patient->fd, &finding, sizeof(finding), MSG_DONTWAIT) !=
		    (ssize_t)sizeof(finding) ||
	    finding.fault > DONE)
		return -EIO;
	if (finding.fault == DONE)
		return 0;
	/* It reads what strangers wrote: what it sends is not believed blindly either. */
	finding.what[sizeof(finding.what) - 1] = '\0';
	finding.mend[sizeof(finding.mend) - 1] = '\0';
	*ret_finding = finding;
	return 1;
}

void scaph_patient_stop(struct scaph_patient *patient)
{
	kill(-patient->pid, SIGKILL);
	kill(patient->pid, SIGKILL);
	close(patient->fd);
}
