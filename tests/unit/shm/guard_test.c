/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard_test.c - a file that is cut under a writer hurts that writer's mapping and nothing else
 *
 * Each case in a child of its own: the handler is installed once a process, and cmocka has one too.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "shm/guard.h"

#define BYTES 16384U
#define PAGE 4096U
#define CHAINED 42

struct mapped {
	int fd;
	struct scaph_guard guard;
};

static volatile char *at(struct mapped *mapped, size_t offset)
{
	return (volatile char *)mapped->guard.map + offset;
}

static struct mapped map_new(void)
{
	struct mapped mapped = { .fd = memfd_create("guard", MFD_CLOEXEC) };

	assert_true(mapped.fd >= 0);
	assert_int_equal(ftruncate(mapped.fd, BYTES), 0);
	mapped.guard.bytes = BYTES;
	mapped.guard.map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, mapped.fd, 0);
	assert_true(mapped.guard.map != MAP_FAILED);
	return mapped;
}

static void cut(struct mapped *mapped)
{
	assert_int_equal(ftruncate(mapped->fd, PAGE), 0);
}

/* What does not hold in a child is told by its exit status: the line. */
#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			_exit(__LINE__ & 0xff);                                                    \
	} while (0)

/* In a child: how it ended. Its death by a signal is wanted, a core file is not. */
static int in_child(void (*work)(void))
{
	const struct rlimit none = {};
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		work();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void cut_is_caught(void)
{
	struct mapped mapped = map_new(), other = map_new();

	HOLDS(scaph_guard_install() == 0 && scaph_guard_install() == 0);
	*at(&mapped, 0) = 1;
	*at(&other, BYTES - 1) = 2;
	cut(&mapped);
	scaph_guard_enter(&mapped.guard);
	*at(&mapped, BYTES - 1) = 3;
	*at(&mapped, PAGE) = 4;
	scaph_guard_leave();
	HOLDS(scaph_guard_failed(&mapped.guard));
	/* The whole mapping is zeros of our own now: nothing of the file shows through. */
	HOLDS(*at(&mapped, 0) == 0 && *at(&mapped, BYTES - 1) == 3);
	HOLDS(!scaph_guard_failed(&other.guard) && *at(&other, BYTES - 1) == 2);
}

static void neighbour_goes_on(void)
{
	struct mapped mapped = map_new(), other = map_new();
	char byte = 0;

	HOLDS(scaph_guard_install() == 0);
	cut(&mapped);
	scaph_guard_enter(&mapped.guard);
	*at(&mapped, BYTES - 1) = 1;
	scaph_guard_leave();
	HOLDS(scaph_guard_failed(&mapped.guard));
	scaph_guard_enter(&other.guard);
	*at(&other, 5) = 9;
	scaph_guard_leave();
	HOLDS(!scaph_guard_failed(&other.guard));
	HOLDS(pread(other.fd, &byte, 1, 5) == 1 && byte == 9);
}

static void load_is_caught(void)
{
	struct mapped mapped = map_new();

	HOLDS(scaph_guard_install() == 0);
	cut(&mapped);
	scaph_guard_enter(&mapped.guard);
	HOLDS(*at(&mapped, 2 * PAGE) == 0);
	scaph_guard_leave();
	HOLDS(scaph_guard_failed(&mapped.guard));
}

static void end_chained(int number)
{
	_exit(CHAINED);
}

/* A page between the guard and the fault, on either side. */
static size_t guarded_from;

static void fault_outside(void)
{
	struct mapped mapped = map_new();
	static struct scaph_guard guard; /* nobody leaves it */

	guard.map = (char *)mapped.guard.map + guarded_from;
	guard.bytes = PAGE;
	assert_int_equal(ftruncate(mapped.fd, 0), 0);
	scaph_guard_enter(&guard);
	*at(&mapped, 2 * PAGE) = 1;
}

static void fault_outside_handled(void)
{
	signal(SIGBUS, end_chained);
	if (scaph_guard_install() == 0)
		fault_outside();
}

static void end_chained_info(int number, siginfo_t *info, void *context)
{
	_exit(info->si_addr ? CHAINED : 1);
}

static void fault_outside_handled_info(void)
{
	struct sigaction action = { .sa_sigaction = end_chained_info, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &action, NULL);
	if (scaph_guard_install() == 0)
		fault_outside();
}

static void fault_outside_default(void)
{
	signal(SIGBUS, SIG_DFL);
	if (scaph_guard_install() == 0)
		fault_outside();
}

/* Without a guard entered, and after it was left, a fault is nobody's. */
static void fault_after_leave(void)
{
	struct mapped mapped = map_new();

	signal(SIGBUS, end_chained);
	if (scaph_guard_install() != 0)
		return;
	cut(&mapped);
	scaph_guard_enter(&mapped.guard);
	scaph_guard_leave();
	*at(&mapped, BYTES - 1) = 1;
}

/* A signal that somebody sent has no address; with the default action it must still end the process. */
static void sent_signal(void)
{
	struct mapped mapped = map_new();

	signal(SIGBUS, SIG_DFL);
	if (scaph_guard_install() != 0)
		return;
	scaph_guard_enter(&mapped.guard);
	kill(getpid(), SIGBUS);
}

static void test_caught(void **state)
{
	assert_int_equal(in_child(cut_is_caught), 0);
	assert_int_equal(in_child(neighbour_goes_on), 0);
	assert_int_equal(in_child(load_is_caught), 0);
}

static void test_chain(void **state)
{
	int status = in_child(fault_outside_handled);

	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == CHAINED);
	guarded_from = BYTES - PAGE;
	status = in_child(fault_outside_handled);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == CHAINED);
	status = in_child(fault_outside_handled_info);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == CHAINED);
	status = in_child(fault_after_leave);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == CHAINED);
}

static void test_default(void **state)
{
	int status = in_child(fault_outside_default);

	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	status = in_child(sent_signal);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_caught),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_default),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
