/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.c - the process-wide SIGBUS handler and the thread's present guard
 *
 * The handler runs on the faulting thread, so what it writes to the guard is written by the guard's own thread. It uses mmap
 * only (a plain system call here: async-signal-safe in practice, as in every garbage collector).
 */
#include "shm/guard.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

__thread struct scaph_guard *scaph_guard_present __attribute__((tls_model("initial-exec")));
static struct sigaction previous;
static int install_result;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/*
 * Hand the signal on to whoever had it before us. With the default action a fault repeats and ends
 * the process; a signal that somebody sent does not repeat by itself.
 */
static void pass_on(int number, siginfo_t *info, void *context)
{
	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(number, info, context);
	} else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(number);
	} else if (info->si_code > 0) {
		signal(number, SIG_DFL);
	} else if (previous.sa_handler == SIG_DFL) {
		signal(number, SIG_DFL);
		raise(number);
	}
}

/* si_addr means something only if the kernel raised the signal. */
static bool is_ours(const struct scaph_guard *guard, const siginfo_t *info)
{
	uintptr_t at = (uintptr_t)info->si_addr;

	if (!guard || info->si_code <= 0)
		return false;
	return at >= (uintptr_t)guard->map && at - (uintptr_t)guard->map < guard->bytes;
}

static bool put_zeros(const struct scaph_guard *guard)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	return mmap(guard->map, guard->bytes, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED;
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	struct scaph_guard *guard = scaph_guard_present;
	int saved_errno = errno;

	if (is_ours(guard, info) && put_zeros(guard))
		guard->failed = 1;
	else
		pass_on(number, info, context);
	errno = saved_errno;
}

static void install(void)
{
	struct sigaction action = {
		.sa_sigaction = on_bus_error,
		.sa_flags = SA_SIGINFO,
	};

	sigemptyset(&action.sa_mask);
	install_result = sigaction(SIGBUS, &action, &previous) < 0 ? -errno : 0;
}

int scaph_guard_install(void)
{
	pthread_once(&once, install);
	return install_result;
}
