/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h - shared memory as relaxed 64-bit atomic words
 *
 * The only way bytes of a live segment are touched. A memcpy there would be a data race (and TSan says so); a struct laid
 * over it would let the compiler read a field twice. The loops have constant counts so that they are unrolled: a rolled
 * copy costs three times as much. Ordering is not made here: it belongs to the caller, with a label.
 */
#ifndef SCAPH_SHM_WORDS_H
#define SCAPH_SHM_WORDS_H

#include <stdatomic.h>
#include <stdint.h>

#include "proto/layout.h"

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit words must be lock-free");

static inline uint64_t scaph_word_load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void scaph_word_store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/*
 * Ask for a line that will be stored to, so that it is on its way while something else is done. PREFETCHW is written down as
 * such: for baseline x86-64 the compiler's builtin asks for a shared copy, which costs a second trip. Where a processor
 * does not know it, it does nothing (Intel SDM, PREFETCHW). May be given any address.
 */
static inline void scaph_line_prefetch(const void *at)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)at));
#else
	__builtin_prefetch(at, 1);
#endif
}

/* The word at a byte offset of a mapping; the offset is a multiple of 8. */
static inline _Atomic uint64_t *scaph_word_at(void *map, uint64_t offset)
{
	return (_Atomic uint64_t *)((char *)map + offset);
}

#endif
