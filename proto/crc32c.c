/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32c.c - CRC-32C by the CPU's instruction, or by table
 *
 * The choice is made once, before main(), and is a constant afterwards; it is a predictable branch on the hot path, which
 * measured the same as an indirect call and lets the compiler inline the eight instructions of a slot.
 */
#include "proto/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define CRC_TARGET __attribute__((target("sse4.2")))
#define CRC_U64(state, word) ((uint32_t)_mm_crc32_u64((state), (word)))
#define CRC_U32(state, word) _mm_crc32_u32((state), (word))
#define CRC_U8(state, byte) _mm_crc32_u8((state), (byte))
static bool cpu_has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__)
#pragma GCC push_options
#pragma GCC target("+crc")
#include <arm_acle.h>
#pragma GCC pop_options
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1UL << 7)
#endif
#define CRC_TARGET __attribute__((target("+crc")))
#define CRC_U64(state, word) __crc32cd((state), (word))
#define CRC_U32(state, word) __crc32cw((state), (word))
#define CRC_U8(state, byte) __crc32cb((state), (byte))
static bool cpu_has_instruction(void)
{
	return getauxval(AT_HWCAP) & HWCAP_CRC32;
}
#endif

#define CRC_POLYNOMIAL 0x82f63b78U /* 0x1edc6f41 reflected */

static uint32_t table[256];
static bool has_instruction;

__attribute__((constructor)) static void crc32c_choose(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t state = byte;

		for (int bit = 0; bit < 8; bit++)
			state = (state >> 1) ^ (CRC_POLYNOMIAL & (0U - (state & 1)));
		table[byte] = state;
	}
#ifdef CRC_TARGET
	has_instruction = cpu_has_instruction();
#endif
}

bool scaph_crc32c_has_instruction(void)
{
	return has_instruction;
}

uint32_t scaph_crc32c_update_table(uint32_t state, const void *bytes, size_t count)
{
	const uint8_t *at = bytes;

	while (count--)
		state = (state >> 8) ^ table[(state ^ *at++) & 0xff];
	return state;
}

#ifdef CRC_TARGET
CRC_TARGET uint32_t scaph_crc32c_update_instruction(uint32_t state, const void *bytes, size_t count)
{
	const uint8_t *at = bytes;

	for (; count >= 8; count -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		state = CRC_U64(state, word);
	}
	while (count--)
		state = CRC_U8(state, *at++);
	return state;
}

CRC_TARGET static uint32_t slot_by_instruction(uint32_t state,
					       const uint64_t words[SCAPH_SLOT_WORDS])
{
	state = CRC_U64(state, words[0]);
	state = CRC_U64(state, words[1]);
	state = CRC_U64(state, words[2]);
	state = CRC_U64(state, words[3]);
	state = CRC_U64(state, words[4]);
	state = CRC_U64(state, words[5]);
	state = CRC_U64(state, words[6]);
	return CRC_U32(state, (uint32_t)words[7]);
}
#else
uint32_t scaph_crc32c_update_instruction(uint32_t state, const void *bytes, size_t count)
{
	return scaph_crc32c_update_table(state, bytes, count);
}

static uint32_t slot_by_instruction(uint32_t state, const uint64_t words[SCAPH_SLOT_WORDS])
{
	return scaph_crc32c_update_table(state, words, SCAPH_SLOT_BYTES - 4);
}
#endif

uint32_t scaph_crc32c_update(uint32_t state, const void *bytes, size_t count)
{
	return has_instruction ? scaph_crc32c_update_instruction(state, bytes, count)
			       : scaph_crc32c_update_table(state, bytes, count);
}

uint32_t scaph_crc32c_slot(uint32_t prefix, const uint64_t words[SCAPH_SLOT_WORDS])
{
	uint32_t state = has_instruction
				 ? slot_by_instruction(prefix, words)
				 : scaph_crc32c_update_table(prefix, words, SCAPH_SLOT_BYTES - 4);

	return scaph_crc32c_final(state);
}

uint32_t scaph_crc32c_block(const void *bytes, size_t count, size_t crc_at)
{
	static const uint8_t zero[4];
	const uint8_t *at = bytes;
	uint32_t state;

	state = scaph_crc32c_update(SCAPH_CRC32C_INIT, at, crc_at);
	state = scaph_crc32c_update(state, zero, sizeof(zero));
	at += crc_at + sizeof(zero);
	return scaph_crc32c_final(scaph_crc32c_update(state, at, count - crc_at - sizeof(zero)));
}
