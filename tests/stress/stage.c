/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.c - a folder on a tmpfs, processes that end with their parent, a TAP report
 */
#include "tests/stress/stage.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/segment.h"

#define PERCENT_DEFAULT 10U

static char dir[PATH_MAX];
static char path[PATH_MAX + sizeof(SCAPH_SEGMENT_NAME) + 1];
static pid_t owner;
static unsigned int checks, failures;

static void clear(void)
{
	unlink(path);
	rmdir(dir);
}

static void on_end(int number)
{
	if (getpid() == owner)
		clear();
	_exit(128 + number);
}

void stage_open(void)
{
	const char *parent = getenv("SCAPH_STAGE_PARENT");

	snprintf(dir, sizeof(dir), "%s/scaph-stress-XXXXXX", parent ? parent : "/dev/shm");
	if (!mkdtemp(dir)) {
		fprintf(stderr, "stress: no folder %s: %s\n", dir, strerror(errno));
		exit(1);
	}
	snprintf(path, sizeof(path), "%s/%s", dir, SCAPH_SEGMENT_NAME);
	owner = getpid();
	signal(SIGTERM, on_end);
	signal(SIGINT, on_end);
	signal(SIGALRM, on_end);
	signal(SIGPIPE, on_end);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

void stage_close(void)
{
	clear();
}

const char *stage_dir(void)
{
	return dir;
}

const char *stage_path(void)
{
	return path;
}

uint64_t stage_scaled(uint64_t full, uint64_t least)
{
	const char *text = getenv("SCAPH_TEST_PERCENT");
	uint64_t percent = text ? strtoull(text, NULL, 10) : PERCENT_DEFAULT;
	uint64_t scaled = full / 100 * percent + full % 100 * percent / 100;

	return scaled > least ? scaled : least;
}

pid_t stage_fork(void (*play)(void *context), void *context)
{
	pid_t parent = getpid(), pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("stress: fork");
		exit(1);
	}
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	play(context);
	fflush(stdout);
	_exit(0);
}

bool stage_ended_well(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void stage_check(bool holds, const char *what)
{
	checks++;
	failures += !holds;
	printf("%sok %u - %s\n", holds ? "" : "not ", checks, what);
}

int stage_verdict(void)
{
	printf("1..%u\n", checks);
	return failures ? 1 : 0;
}

uint64_t stage_random(uint64_t below)
{
	static __thread uint64_t state;
	static __thread pid_t seeded_in;

	if (seeded_in != getpid() && getrandom(&state, sizeof(state), 0) == sizeof(state))
		seeded_in = getpid();
	state |= 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}
