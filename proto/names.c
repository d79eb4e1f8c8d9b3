/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c - words for numbers, UUIDs as text, names made safe to show
 */
#include "proto/names.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define WORD(table, number)                                                                        \
	((number) < sizeof(table) / sizeof((table)[0]) && (table)[number] ? (table)[number]        \
									  : "unknown")

const char *scaph_source_name(uint32_t source)
{
	static const char *const words[] = {
		[SCAPH_SOURCE_MSR] = "msr",	      [SCAPH_SOURCE_PERF] = "perf",
		[SCAPH_SOURCE_POWERCAP] = "powercap", [SCAPH_SOURCE_MODEL] = "model",
		[SCAPH_SOURCE_REPLAY] = "replay",     [SCAPH_SOURCE_RING] = "ring",
		[SCAPH_SOURCE_RESCTRL] = "resctrl",
	};

	return WORD(words, source);
}

const char *scaph_meter_name(uint32_t meter)
{
	static const char *const words[] = {
		[SCAPH_METER_BPF] = "bpf", [SCAPH_METER_CPUTIME] = "cputime"
	};

	return WORD(words, meter);
}

const char *scaph_profile_name(uint32_t profile)
{
	static const char *const words[] = {
		[SCAPH_PROFILE_TRUSTED] = "trusted",
		[SCAPH_PROFILE_SHARED] = "shared",
		[SCAPH_PROFILE_OFF] = "off",
	};

	return WORD(words, profile);
}

const char *scaph_state_name(uint32_t state)
{
	static const char *const words[] = {
		[SCAPH_STATE_LIVE] = "live",
		[SCAPH_STATE_PAUSED] = "paused",
		[SCAPH_STATE_RETIRED] = "retired",
	};

	return WORD(words, state);
}

static const char hex_digits[] = "0123456789abcdef";

static bool dash_at(int character)
{
	return character == 8 || character == 13 || character == 18 || character == 23;
}

void scaph_uuid_format(const uint8_t uuid[SCAPH_UUID_BYTES], char ret_text[SCAPH_UUID_TEXT_BYTES])
{
	int nibble = 0;

	for (int i = 0; i < SCAPH_UUID_TEXT_BYTES - 1; i++) {
		if (dash_at(i)) {
			ret_text[i] = '-';
			continue;
		}
		ret_text[i] =
			hex_digits[nibble % 2 ? uuid[nibble / 2] & 15 : uuid[nibble / 2] >> 4];
		nibble++;
	}
	ret_text[SCAPH_UUID_TEXT_BYTES - 1] = '\0';
}

static int hex_value(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	return -1;
}

int scaph_uuid_parse(const char *text, uint8_t ret_uuid[SCAPH_UUID_BYTES])
{
	uint8_t uuid[SCAPH_UUID_BYTES] = {};
	int nibble = 0;

	if (strnlen(text, SCAPH_UUID_TEXT_BYTES) != SCAPH_UUID_TEXT_BYTES - 1)
		return -EINVAL;
	for (int i = 0; i < SCAPH_UUID_TEXT_BYTES - 1; i++) {
		int value = hex_value(text[i]);

		if (dash_at(i)) {
			if (text[i] != '-')
				return -EINVAL;
			continue;
		}
		if (value < 0)
			return -EINVAL;
		uuid[nibble / 2] = (uint8_t)(uuid[nibble / 2] << 4 | value);
		nibble++;
	}
	memcpy(ret_uuid, uuid, sizeof(uuid));
	return 0;
}

/* Bytes and code point of the UTF-8 sequence at @at; 0 if it is none (broken, overlong, surrogate, beyond Unicode). */
static unsigned int utf8_sequence(const uint8_t *at, uint32_t *ret_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int bytes = at[0] < 0x80	? 1
			     : at[0] >> 5 == 6	? 2
			     : at[0] >> 4 == 14 ? 3
			     : at[0] >> 3 == 30 ? 4
						: 0;
	uint32_t point = bytes == 1 ? at[0] : bytes ? at[0] & (0x7fU >> bytes) : 0;

	for (unsigned int i = 1; i < bytes; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (at[i] & 0x3f);
	}
	if (!bytes || point < least[bytes] || point > 0x10ffff ||
	    (point >= 0xd800 && point < 0xe000))
		return 0;
	*ret_point = point;
	return bytes;
}

/* Characters that move the cursor, change direction or hide: C0, DEL, C1, bidi and zero-width controls, separators. */
static bool unsafe_point(uint32_t point)
{
	return point < 0x20 || point == '\\' || point == '"' || point == '\'' ||
	       (point >= 0x7f && point < 0xa0) || point == 0xad || point == 0x61c ||
	       point == 0x180e || (point >= 0x200b && point <= 0x200f) ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) ||
	       point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb) ||
	       (point >= 0xe0000 && point <= 0xe0fff);
}

void scaph_name_escape(const char *name, char *ret_text, size_t size)
{
	const uint8_t *at = (const uint8_t *)name;
	size_t used = 0;

	while (*at) {
		uint32_t point = 0;
		unsigned int bytes = utf8_sequence(at, &point);
		bool plain = bytes && !unsafe_point(point);
		unsigned int count = bytes ? bytes : 1;

		if (used + (plain ? count : 4 * count) + 1 > size)
			break;
		for (unsigned int i = 0; i < count; i++, at++) {
			if (plain) {
				ret_text[used++] = (char)*at;
				continue;
			}
			ret_text[used++] = '\\';
			ret_text[used++] = 'x';
			ret_text[used++] = hex_digits[*at >> 4];
			ret_text[used++] = hex_digits[*at & 15];
		}
	}
	ret_text[used] = '\0';
}
