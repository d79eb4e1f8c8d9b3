/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bounded.h - what may hang, in a child and for so long only
 *
 * A mount of a share whose daemon on the host hangs cannot even be killed: it is left behind, and the command goes on.
 */
#ifndef SCAPH_SETUP_BOUNDED_H
#define SCAPH_SETUP_BOUNDED_H

#include <stddef.h>

/**
 * scaph_bounded_call() - call a function in a child
 * @call:    its return value is the child's exit status
 *
 * Return:   0 to 255, the exit status; -ETIMEDOUT after 20 s; -EINTR: a signal killed it; or another negative errno.
 */
int scaph_bounded_call(int (*call)(const void *context), const void *context);

/**
 * scaph_bounded_run() - run a program
 * @words:    ended by NULL; found in the system's folders for programs
 * @ret_said: the last line of what it said, always set
 *
 * Return:   as scaph_bounded_call(); 127: there is no such program.
 */
int scaph_bounded_run(const char *const *words, char *ret_said, size_t size);

#endif
