/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h - a mapping that may lose its pages under us
 *
 * Whoever can truncate the file behind a mapping can send SIGBUS to the other side. While a thread works inside a guarded
 * mapping, the handler puts anonymous zero pages over the whole of it (MAP_FIXED) and marks it failed; the access that
 * faulted goes on against zeros and the caller looks at scaph_guard_failed() afterwards. Costs two thread-local stores a use
 * and nothing else; no sigsetjmp. A SIGBUS from anywhere else goes to the handler that was installed before.
 *
 * The process-wide handler is installed once; programs do it at start, the library only when asked to.
 */
#ifndef SCAPH_SHM_GUARD_H
#define SCAPH_SHM_GUARD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct scaph_guard {
	void *map;
	size_t bytes;
	volatile sig_atomic_t failed; /* set by this thread's own signal handler only */
};

/*
 * The thread's guard. initial-exec: reached without a call into the loader, which a signal handler must not make.
 */
extern __thread struct scaph_guard *scaph_guard_present __attribute__((tls_model("initial-exec")));

/**
 * scaph_guard_install() - install the process-wide SIGBUS handler, once
 *
 * Context:  any thread; later calls do nothing.
 * Return:   0 or a negative errno.
 */
int scaph_guard_install(void);

/**
 * scaph_guard_enter() - from here on this thread's faults inside @guard's mapping are caught
 * @guard: map and bytes set, page aligned; alive until scaph_guard_leave()
 *
 * One guard a thread at a time. Works (as nothing) without scaph_guard_install().
 */
static inline void scaph_guard_enter(struct scaph_guard *guard)
{
	scaph_guard_present = guard;
	/* For the handler, which is this thread's own: nothing guarded may be moved out in front. */
	__asm__ volatile("" : : : "memory");
}

static inline void scaph_guard_leave(void)
{
	__asm__ volatile("" : : : "memory");
	scaph_guard_present = NULL;
}

static inline bool scaph_guard_failed(const struct scaph_guard *guard)
{
	return guard->failed;
}

#endif
