/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32c.h - CRC-32C (Castagnoli), reflected, init and xorout 0xFFFFFFFF
 *
 * The raw state is what scaph_crc32c_update() takes and gives: start with SCAPH_CRC32C_INIT, end with
 * scaph_crc32c_final(). A state may be kept and continued: a ring's prefix (epoch, UUID, ring type) is computed once.
 * The CPU's instruction is used where there is one (SSE4.2, Armv8 CRC), a table elsewhere; all give the same value. The
 * instruction is written down as such and not as an intrinsic, so that a slot's eight stand inline in publication and
 * reading, their words in registers: a call with the words in memory made a publish half as long again.
 */
#ifndef SCAPH_PROTO_CRC32C_H
#define SCAPH_PROTO_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/layout.h"

#define SCAPH_CRC32C_INIT 0xffffffffU

/**
 * scaph_crc32c_update() - carry a raw CRC state over some bytes
 * @state: SCAPH_CRC32C_INIT or an earlier result
 * @bytes: private memory, any alignment
 * @count: number of bytes
 *
 * Context:  any thread; never blocks; no shared state but a choice made once at load time.
 * Source:   RFC 3720 appendix B.4 (polynomial, test values); proto/SPEC.md, "Checksum".
 * Return:   the new raw state.
 */
uint32_t scaph_crc32c_update(uint32_t state, const void *bytes, size_t count);

/* The same by table, and by instruction where scaph_crc32c_has_instruction(): for tests against each other. */
uint32_t scaph_crc32c_update_table(uint32_t state, const void *bytes, size_t count);
uint32_t scaph_crc32c_update_instruction(uint32_t state, const void *bytes, size_t count);
bool scaph_crc32c_has_instruction(void);

/**
 * scaph_crc32c_block() - checksum of a block that carries it in its own bytes
 * @bytes:  private memory
 * @count:  covered bytes, at least @crc_at + 4
 * @crc_at: offset of the four bytes of the checksum, which are taken as 0
 *
 * Return:   the finished checksum.
 */
uint32_t scaph_crc32c_block(const void *bytes, size_t count, size_t crc_at);

static inline uint32_t scaph_crc32c_final(uint32_t state)
{
	return state ^ 0xffffffffU;
}

/* Chosen before main(), constant afterwards: a branch that is always predicted. */
extern bool scaph_crc32c_by_instruction;

/* One instruction each; only where scaph_crc32c_by_instruction. */
#if defined(__x86_64__)
static inline uint64_t scaph_crc32c_step64(uint64_t state, uint64_t word)
{
	__asm__("crc32q %1, %0" : "+r"(state) : "rm"(word));
	return state;
}

static inline uint64_t scaph_crc32c_step32(uint64_t state, uint32_t word)
{
	__asm__("crc32l %1, %k0" : "+r"(state) : "rm"(word));
	return state;
}

/* Out of memory, so that the word needs no register. */
static inline uint64_t scaph_crc32c_step64_at(uint64_t state, const uint64_t *word)
{
	__asm__("crc32q %1, %0" : "+r"(state) : "m"(*word));
	return state;
}
#elif defined(__aarch64__)
static inline uint64_t scaph_crc32c_step64(uint64_t state, uint64_t word)
{
	__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %1" : "+r"(state) : "r"(word));
	return state;
}

static inline uint64_t scaph_crc32c_step32(uint64_t state, uint32_t word)
{
	__asm__(".arch_extension crc\n\tcrc32cw %w0, %w0, %w1" : "+r"(state) : "r"(word));
	return state;
}
#else
static inline uint64_t scaph_crc32c_step64(uint64_t state, uint64_t word)
{
	return scaph_crc32c_update_table((uint32_t)state, &word, sizeof(word));
}

static inline uint64_t scaph_crc32c_step32(uint64_t state, uint32_t word)
{
	return scaph_crc32c_update_table((uint32_t)state, &word, sizeof(word));
}
#endif

#if !defined(__x86_64__)
static inline uint64_t scaph_crc32c_step64_at(uint64_t state, const uint64_t *word)
{
	return scaph_crc32c_step64(state, *word);
}
#endif

/**
 * scaph_crc32c_slot() - checksum of a record of one ring
 * @prefix: raw state after the ring's prefix, see scaph_slot_prefix()
 * @words:  the slot's eight words in private memory; the first in its final even form; the CRC's half is left out
 *
 * Return:   the finished checksum, as it stands in bytes 60-63.
 */
static inline uint32_t scaph_crc32c_slot(uint32_t prefix, const uint64_t words[SCAPH_SLOT_WORDS])
{
	uint64_t state = prefix;

	if (__builtin_expect(!scaph_crc32c_by_instruction, 0)) {
		/* Of a copy, so that only here the words have to be in memory. */
		const uint64_t copy[SCAPH_SLOT_WORDS] = { words[0], words[1], words[2], words[3],
							  words[4], words[5], words[6], words[7] };

		return scaph_crc32c_final(
			scaph_crc32c_update_table(prefix, copy, SCAPH_SLOT_BYTES - 4));
	}
	state = scaph_crc32c_step64(state, words[0]);
	state = scaph_crc32c_step64(state, words[1]);
	state = scaph_crc32c_step64(state, words[2]);
	state = scaph_crc32c_step64(state, words[3]);
	state = scaph_crc32c_step64(state, words[4]);
	state = scaph_crc32c_step64(state, words[5]);
	state = scaph_crc32c_step64(state, words[6]);
	state = scaph_crc32c_step32(state, (uint32_t)words[7]);
	return scaph_crc32c_final((uint32_t)state);
}

#endif
