/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32c.c - CRC-32C by the CPU's instruction, or by table
 */
#include "proto/crc32c.h"

#include <string.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1UL << 7)
#endif
#endif

#define CRC_POLYNOMIAL 0x82f63b78U /* 0x1edc6f41 reflected */

bool scaph_crc32c_by_instruction;
static uint32_t table[256];

static bool cpu_has_instruction(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("sse4.2");
#elif defined(__aarch64__)
	return getauxval(AT_HWCAP) & HWCAP_CRC32;
#else
	return false;
#endif
}

__attribute__((constructor)) static void crc32c_choose(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t state = byte;

		for (int bit = 0; bit < 8; bit++)
			state = (state >> 1) ^ (CRC_POLYNOMIAL & (0U - (state & 1)));
		table[byte] = state;
	}
	scaph_crc32c_by_instruction = cpu_has_instruction();
}

bool scaph_crc32c_has_instruction(void)
{
	return scaph_crc32c_by_instruction;
}

uint32_t scaph_crc32c_update_table(uint32_t state, const void *bytes, size_t count)
{
	const uint8_t *at = bytes;

	while (count--)
		state = (state >> 8) ^ table[(state ^ *at++) & 0xff];
	return state;
}

uint32_t scaph_crc32c_update_instruction(uint32_t state, const void *bytes, size_t count)
{
	const uint8_t *at = bytes;
	uint64_t carried = state;

	for (; count >= 8; count -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		carried = scaph_crc32c_step64(carried, word);
	}
	return scaph_crc32c_update_table((uint32_t)carried, at, count);
}

uint32_t scaph_crc32c_update(uint32_t state, const void *bytes, size_t count)
{
	return scaph_crc32c_by_instruction ? scaph_crc32c_update_instruction(state, bytes, count)
					   : scaph_crc32c_update_table(state, bytes, count);
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
