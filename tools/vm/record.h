/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - one domain's enrolment, and the journal of what is being done to it
 *
 * Written before anything is touched: whoever finds ENABLING undoes it all, whoever finds DISABLING does the
 * rest. Every step of either may have been done already.
 *
 *   state       transports               adding            live                       profile   profile-adding
 *   ENABLING    those in force before    those that come   those being plugged in     before    the one that comes
 *   ENABLED     those in force           none              none                       in force  none
 *   DISABLING   those that go            none              those being plugged out    goes      none
 *
 * Beside it lie definitions of the domain: ORIGINAL before we ever came, BEFORE the change that was begun last,
 * ENABLED as libvirt wrote it after that change.
 */
#ifndef SCAPH_VM_RECORD_H
#define SCAPH_VM_RECORD_H

#include <stdbool.h>

#include "tools/vm/options.h"
#include "tools/vm/profile_file.h"
#include "tools/vm/qemu_user.h"

#define SCAPH_RECORD_ORIGINAL "original.xml"
#define SCAPH_RECORD_BEFORE "before.xml"
#define SCAPH_RECORD_ENABLED "enabled.xml"

enum scaph_record_state {
	SCAPH_RECORD_NONE,
	SCAPH_RECORD_ENABLING,
	SCAPH_RECORD_ENABLED_STATE,
	SCAPH_RECORD_DISABLING,
};

struct scaph_record {
	enum scaph_record_state state;
	unsigned int transports, adding;
	unsigned int live; /* of the running machine, in or out */
	enum scaph_vm_profile profile, profile_adding; /* NONE: nothing is said; no change */
	bool exact; /* ORIGINAL differs from ENABLED by nobody's work but ours */
	bool memory; /* the memory backing is ours */
	bool user_known;
	struct scaph_qemu_user user; /* whose an ivshmem file is to be, if known */
	char *shown; /* the domain's name, safe to show */
	char *share_root, *export_root, *shm_dir, *profile_dir; /* where its things lie */
};

const char *scaph_record_state_name(enum scaph_record_state state);

/* A record of nothing yet, with the places that the options name: 0 or -ENOMEM. */
int scaph_record_init(struct scaph_record *record, const struct scaph_vm_options *options,
		      const char *shown);
void scaph_record_deinit(struct scaph_record *record);

/* As text, and back; a word that is not known is refused, for it may come from a later version. */
char *scaph_record_format(const struct scaph_record *record);
int scaph_record_parse(const char *text, struct scaph_record *ret_record);

/**
 * scaph_record_load() - what is known of a domain
 * @ret_record: set only on 0; state NONE if nothing is
 *
 * Return:   0, or a negative errno after one line.
 */
int scaph_record_load(int store, const char *uuid, struct scaph_record *ret_record);

/* 0, or a negative errno after one line. */
int scaph_record_save(int store, const char *uuid, const struct scaph_record *record);
int scaph_record_forget(int store, const char *uuid);

#endif
