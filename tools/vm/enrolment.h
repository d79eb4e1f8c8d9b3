/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enrolment.h - what is made for a domain on its host, made and taken away, and interrupted work
 *
 * Every step may have been done already, by a run that was killed.
 */
#ifndef SCAPH_VM_ENROLMENT_H
#define SCAPH_VM_ENROLMENT_H

#include "tools/vm/session.h"

/*
 * Whether what @set needs can be made where it belongs, so that nothing of anybody else's is met, or taken
 * away, later: 0, or a negative errno after one line.
 */
int scaph_enrolment_check_room(struct scaph_session *session, unsigned int set);

/* Mounts and files that @set needs: 0, or a negative errno after one line. */
int scaph_enrolment_build(struct scaph_session *session, unsigned int set);

/* What scaphd is told that it may see, at once: NONE takes the word back. 0, or a negative errno after one line. */
int scaph_enrolment_set_profile(struct scaph_session *session, enum scaph_vm_profile profile);

/**
 * scaph_enrolment_clear() - away with what @goes needed and @stays does not
 *
 * A running scaphd is asked to let go first. What a running guest has open stays its own until it ends, and
 * nobody else's.
 *
 * Return:   0, or a negative errno after one line.
 */
int scaph_enrolment_clear(struct scaph_session *session, unsigned int goes, unsigned int stays);

/* Undo what an ENABLING record began; then it is as before. 0, or a negative errno after one line. */
int scaph_enrolment_roll_back(struct scaph_session *session);

/* Take everything away that a DISABLING record names, and it too. 0, or a negative errno after one line. */
int scaph_enrolment_end(struct scaph_session *session);

/* Whatever an earlier run was interrupted in: 0, or a negative errno after one line. */
int scaph_enrolment_mend(struct scaph_session *session);

/* What the definition was before we came, if nobody but us has changed it since; else NULL. */
char *scaph_enrolment_original(const struct scaph_session *session);

/**
 * scaph_enrolment_begin() - open a session that changes things, at the domain that was named
 * @session: closed with scaph_session_close(), whatever this returns
 *
 * Interrupted work of that domain is mended first. Return: 0 or a negative errno after one line.
 */
int scaph_enrolment_begin(struct scaph_session *session, const struct scaph_vm_options *options);

#endif
