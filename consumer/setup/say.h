/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.h - one line on standard error: what is wrong, where, what mends it
 */
#ifndef SCAPH_SETUP_SAY_H
#define SCAPH_SETUP_SAY_H

void scaph_setup_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void scaph_setup_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
