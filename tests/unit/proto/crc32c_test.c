/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32c_test.c - the instruction and the table against known values and each other
 *
 * Plain TAP without cmocka, so that it also runs in the Arm build, where there is no such package.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/crc32c.h"

#define ROUNDS 20000

static int number;
static int failures;

static void check(bool good, const char *what)
{
	number++;
	failures += !good;
	printf("%s %d - %s\n", good ? "ok" : "not ok", number, what);
}

static uint32_t whole(uint32_t (*update)(uint32_t, const void *, size_t), const void *bytes,
		      size_t count)
{
	return scaph_crc32c_final(update(SCAPH_CRC32C_INIT, bytes, count));
}

/* RFC 3720, B.4, and the check value of the CRC catalogue. */
static bool known_values(uint32_t (*update)(uint32_t, const void *, size_t))
{
	uint8_t zeros[32] = {}, ones[32], up[32], down[32];

	memset(ones, 0xff, sizeof(ones));
	for (int i = 0; i < 32; i++) {
		up[i] = (uint8_t)i;
		down[i] = (uint8_t)(31 - i);
	}
	return whole(update, zeros, 32) == 0x8a9136aa && whole(update, ones, 32) == 0x62a8ab43 &&
	       whole(update, up, 32) == 0x46dd794e && whole(update, down, 32) == 0x113fdb5c &&
	       whole(update, "123456789", 9) == 0xe3069283;
}

/* Every length and alignment that occurs, many contents. */
static bool agree(void)
{
	uint8_t bytes[256];

	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		size_t from = (size_t)rand() % 16, count = (size_t)rand() % 200;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)rand();
		if (whole(scaph_crc32c_update_table, bytes + from, count) !=
			    whole(scaph_crc32c_update_instruction, bytes + from, count) ||
		    whole(scaph_crc32c_update_table, bytes + from, count) !=
			    whole(scaph_crc32c_update, bytes + from, count))
			return false;
	}
	return true;
}

/* The unrolled form of a slot is the plain one over 60 bytes. */
static bool slots_agree(void)
{
	uint64_t words[SCAPH_SLOT_WORDS];

	for (int round = 0; round < ROUNDS; round++) {
		uint32_t prefix = (uint32_t)rand();

		for (size_t i = 0; i < SCAPH_SLOT_WORDS; i++)
			words[i] = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^
				   (uint64_t)rand();
		if (scaph_crc32c_slot(prefix, words) !=
		    scaph_crc32c_final(scaph_crc32c_update_table(prefix, words, 60)))
			return false;
		words[7] ^= 1ULL << 63; /* the checksum's own half does not count */
		if (scaph_crc32c_slot(prefix, words) !=
		    scaph_crc32c_final(scaph_crc32c_update_table(prefix, words, 60)))
			return false;
	}
	return true;
}

int main(void)
{
	printf("1..5\n");
#if defined(__x86_64__) || defined(__aarch64__)
	check(scaph_crc32c_has_instruction(), "the instruction is used on this machine");
#else
	check(!scaph_crc32c_has_instruction(), "no instruction is known for this machine");
#endif
	check(known_values(scaph_crc32c_update_table), "table: known values");
	check(known_values(scaph_crc32c_update_instruction), "instruction: known values");
	check(agree(), "table and instruction agree at every length and alignment");
	check(slots_agree(), "a slot's checksum is the plain one");
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
