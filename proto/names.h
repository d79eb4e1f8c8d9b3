/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - the words for the numbers of layout.h, and UUIDs as text
 */
#ifndef SCAPH_PROTO_NAMES_H
#define SCAPH_PROTO_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "proto/layout.h"

#define SCAPH_UUID_TEXT_BYTES 37 /* 36 characters and a NUL */

/* Each returns a constant word, "unknown" for a number this code does not know. */
const char *scaph_source_name(uint32_t source);
const char *scaph_meter_name(uint32_t meter);
const char *scaph_profile_name(uint32_t profile);
const char *scaph_state_name(uint32_t state);

/* Writes 36 lower-case characters and a NUL. */
void scaph_uuid_format(const uint8_t uuid[SCAPH_UUID_BYTES], char ret_text[SCAPH_UUID_TEXT_BYTES]);

/**
 * scaph_uuid_parse() - read a UUID in its usual form, either case
 * @text:     exactly 36 characters and a NUL
 * @ret_uuid: set only on 0
 *
 * Return:   0 or -EINVAL.
 */
int scaph_uuid_parse(const char *text, uint8_t ret_uuid[SCAPH_UUID_BYTES]);

/**
 * scaph_name_escape() - make a name from outside safe to show
 * @name:      any bytes, ended by a NUL
 * @ret_text:  printable UTF-8; control, bidi and broken sequences, backslash and quotes come as \xNN
 * @size:      bytes at @ret_text, at least 4 times the name's and 1
 */
void scaph_name_escape(const char *name, char *ret_text, size_t size);

#endif
