/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_file.h - what scaphd is told that a domain may see: DIR/UUID, a file of one word
 *
 * scaphd believes it only if folder and file are root's alone to write to; see PROFILES in scaphd(8).
 */
#ifndef SCAPH_VM_PROFILE_FILE_H
#define SCAPH_VM_PROFILE_FILE_H

#include <stdbool.h>

#define SCAPH_VM_PROFILE_DIR "/var/lib/scaph/profiles"

enum scaph_vm_profile {
	SCAPH_VM_PROFILE_NONE, /* nothing is said: scaphd's own rules hold */
	SCAPH_VM_PROFILE_TRUSTED,
	SCAPH_VM_PROFILE_SHARED,
	SCAPH_VM_PROFILE_OFF,
};

const char *scaph_vm_profile_word(enum scaph_vm_profile profile);

/* "none" included; false: no such word. */
bool scaph_vm_profile_parse(const char *word, enum scaph_vm_profile *ret_profile);

/* What the file says; NONE also where it says nothing that scaphd would take. */
enum scaph_vm_profile scaph_profile_file_look(const char *dir, const char *uuid);

/* Write the file, or with NONE take it away: 0, or a negative errno after one line. */
int scaph_profile_file_put(const char *dir, const char *uuid, enum scaph_vm_profile profile);

#endif
