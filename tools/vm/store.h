/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - the folder in which scaph-vm keeps what it has done: a folder of texts for each domain
 *
 * Root's alone, for a definition may hold passwords. Locked while a command changes anything, so that two of them never
 * work at once. A text is there whole, as it was, or not at all, whenever the machine stops.
 */
#ifndef SCAPH_VM_STORE_H
#define SCAPH_VM_STORE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SCAPH_STORE_ABSENT = -1
}; /* of scaph_store_open(): there is none, and none was to be made */

/**
 * scaph_store_open() - open and, to change anything, make and lock it
 * @change:      false: look only; then nothing is made or locked
 * @patience_ms: how long to wait for another that has locked it
 *
 * Return:   a descriptor; SCAPH_STORE_ABSENT without a line; or another negative number after one line.
 */
int scaph_store_open(const char *path, bool change, unsigned int patience_ms);

/* All folders on the way to @path and itself, of mode @mode if made: 0, or a negative errno after one line. */
int scaph_store_make_path(const char *path, unsigned int mode);

/* Write a text into a folder, of that mode from its first moment: 0, or a negative errno without a line. */
int scaph_store_write(int folder, const char *name, const char *text, unsigned int mode);

/* A text in a folder; NULL: there is none. No link is followed. */
char *scaph_store_read(int folder, const char *name);

/* Write a text of a domain, its folder made if need be: 0, or a negative errno after one line. */
int scaph_store_put(int store, const char *uuid, const char *name, const char *text);

/* NULL: there is none. */
char *scaph_store_get(int store, const char *uuid, const char *name);

/* Take a domain's folder away, the text @first before all others: 0, or a negative errno after one line. */
int scaph_store_forget(int store, const char *uuid, const char *first);

/* The next UUID in the store, in order, after @uuid ("" begins); false: no more. */
bool scaph_store_next(int store, char uuid[37]);

#endif
