/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_file.h - what was said of one domain while the daemon runs: DIR/UUID, a file of one word
 *
 * Read whenever its domain comes in, or root asks for it. Believed only if folder and file are nobody's to write to but
 * root's or our own: a word in it may be the grant of exact figures.
 */
#ifndef SCAPH_PRODUCER_PROFILE_FILE_H
#define SCAPH_PRODUCER_PROFILE_FILE_H

#include <stdint.h>

#include "proto/layout.h"

#define SCAPH_PROFILE_WORD_BYTES 16

/**
 * scaph_profile_file_read() - the word of a domain
 * @ret_word: as it stands in the file, unjudged; set only on 0
 *
 * Return:   0; -ENOENT: nothing is said of it; or another negative errno after one line.
 */
int scaph_profile_file_read(const char *dir, const uint8_t uuid[SCAPH_UUID_BYTES],
			    char ret_word[SCAPH_PROFILE_WORD_BYTES]);

#endif
