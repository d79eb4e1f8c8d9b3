/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff.h - the difference of two texts, as diff -u shows it
 *
 * For a person at a terminal: characters that move the cursor or turn the direction are shown as
 * \xNN, for a definition holds words that a tenant chose.
 */
#ifndef SCAPH_VM_DIFF_H
#define SCAPH_VM_DIFF_H

#include <stdio.h>

/**
 * scaph_diff_print() - print the unified difference
 * @before, @after: whole texts; nothing is printed if they are equal
 * @name:           what the two header lines call them
 *
 * Return:   0 or -ENOMEM.
 */
int scaph_diff_print(const char *before, const char *after, const char *name, FILE *out);

#endif
