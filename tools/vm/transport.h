/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport.h - the ways by which a share gets into a guest, as bits of a set
 */
#ifndef SCAPH_VM_TRANSPORT_H
#define SCAPH_VM_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

enum scaph_transport {
	SCAPH_TRANSPORT_VIRTIOFS = 1,
	SCAPH_TRANSPORT_PLAN9 = 2,
	SCAPH_TRANSPORT_IVSHMEM = 4,
};

#define SCAPH_TRANSPORTS_ALL 7U
/* Those that carry a folder. */
#define SCAPH_TRANSPORTS_FOLDER (SCAPH_TRANSPORT_VIRTIOFS | SCAPH_TRANSPORT_PLAN9)
#define SCAPH_TRANSPORTS_TEXT_BYTES 32

/* The word for one; "unknown" for no single transport. */
const char *scaph_transport_name(unsigned int transport);

/* 0: the word is no transport. */
unsigned int scaph_transport_parse(const char *word);

/* "virtiofs,9p"; "none" for the empty set. */
void scaph_transports_format(unsigned int set, char ret_text[SCAPH_TRANSPORTS_TEXT_BYTES]);

/* The reverse: false if there is another word in it. */
bool scaph_transports_parse(const char *text, unsigned int *ret_set);

/* What a guest calls the folder that it is given: the tag of the device. */
const char *scaph_transport_tag(unsigned int transport);

#endif
