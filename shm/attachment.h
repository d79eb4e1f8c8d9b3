/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attachment.h - what a reader is attached to: an open segment, its checked descriptor, and the
 * proof that it lives
 *
 * Invariant: slots are only read while `usable` is set, that is while geometry was checked against
 * the very mapping or file that is open now. Proven means: head or beat was seen to move on while
 * the descriptor named this epoch and the head carried its tag. Epochs change here and nowhere
 * else.
 *
 * Owner: one cursor, one thread.
 */
#ifndef SCAPH_SHM_ATTACHMENT_H
#define SCAPH_SHM_ATTACHMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/descriptor.h"
#include "proto/layout.h"
#include "shm/access.h"

enum scaph_look {
	SCAPH_LOOK_SAME, /* the epoch known already; head and proof are fresh */
	SCAPH_LOOK_EPOCH, /* another epoch, or the first: attached to it, unproven */
	SCAPH_LOOK_PASSING, /* nothing usable, but a writer at work may look like this */
	SCAPH_LOOK_NOTHING, /* nothing a reader may use; what was known stays: see refusal */
};

struct scaph_attachment {
	const char *path;
	enum scaph_mode wanted;
	struct scaph_access access; /* fd < 0: not open */
	bool usable;
	bool attached; /* desc is of some epoch */
	bool proven;
	bool head_must_move; /* an epoch seen before: another one's beat proves nothing about it */
	struct scaph_descriptor desc;
	struct scaph_geometry geometry;
	struct scaph_heads heads; /* as of the last good look */
	uint32_t tag;
	uint32_t fast_prefix;
	uint32_t slow_prefix;
	uint64_t moved_ns; /* when head or beat last moved on, or the epoch was attached to */
	uint64_t opened_ns; /* last try */
	uint64_t reopen_wait_ns; /* between tries; grows while they fail */
	const char *refusal;
};

/* Open for the first time: 0 or a negative errno. @path must outlive it. */
int scaph_attachment_open(struct scaph_attachment *att, const char *path, enum scaph_mode mode,
			  uint64_t now_ns);
void scaph_attachment_close(struct scaph_attachment *att);

/*
 * Open the path anew, if the last try is long enough ago: the file may have been replaced, cut or
 * grown. If that fails, or finds nothing better than what is open, that stays open. Otherwise a
 * look is needed before anything else.
 */
void scaph_attachment_reopen(struct scaph_attachment *att, uint64_t now_ns);

/* Look at descriptor and head afresh; bounded retries. Never fails: see enum scaph_look. */
enum scaph_look scaph_attachment_look(struct scaph_attachment *att, uint64_t now_ns);

/* Whether the mapping turned out to be frozen; reading goes on by pread then. */
bool scaph_attachment_thawed(struct scaph_attachment *att);

#endif
