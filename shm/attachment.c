/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attachment.c - attach, proof of life, re-open, and finding out that a mapping is frozen
 */
#include "shm/attachment.h"

#include <errno.h>
#include <string.h>

#include "proto/seq.h"
#include "proto/slot.h"

#define LOOK_TRIES 4
#define REOPEN_MIN_NS 250000000ULL
#define REOPEN_MAX_NS 4000000000ULL

static const char *errno_refusal(int error)
{
	switch (-error) {
	case ENOENT:
		return "there is no such file; is the share mounted and scaphd running?";
	case EACCES:
		return "permission denied; run as root or join the group that may read it";
	case EPERM:
		return "mapping it is forbidden (kernel lockdown?); use a virtiofs or 9p share";
	case ENODATA:
		return "shorter than a segment's first 8 KiB (truncated, or not written yet)";
	case ESTALE:
		return "the file was cut or replaced under the reader";
	case ENOTSUP:
		return "not a file a segment can be";
	case EIO:
		return "it cannot be read (input/output error)";
	case ENOTCONN:
		return "the share's server is gone (is virtiofsd running?); mount it again";
	default:
		return "it cannot be opened or read";
	}
}

int scaph_attachment_open(struct scaph_attachment *att, const char *path, enum scaph_mode mode,
			  uint64_t now_ns)
{
	int r;

	*att = (struct scaph_attachment){
		.path = path,
		.wanted = mode,
		.access = SCAPH_ACCESS_NULL,
		.opened_ns = now_ns,
		.reopen_wait_ns = REOPEN_MIN_NS,
		.refusal = "not looked at yet",
	};
	r = scaph_access_open(path, mode, &att->access);
	/* Too short is a state that may pass (a writer about to grow it), not a failure. */
	if (r == -ENODATA) {
		att->refusal = errno_refusal(r);
		return 0;
	}
	return r;
}

void scaph_attachment_close(struct scaph_attachment *att)
{
	scaph_access_close(&att->access);
	att->usable = false;
}

/* Whether there is a segment in what was opened; looked at properly once it is taken. */
static bool holds_segment(struct scaph_access *access)
{
	struct scaph_geometry geometry;
	struct scaph_descriptor desc;
	const uint8_t *prefix;

	return access->ops->look(access, &prefix) == 0 &&
	       scaph_descriptor_check(prefix, access->bytes, &desc, &geometry) ==
		       SCAPH_DESCRIPTOR_OK;
}

void scaph_attachment_reopen(struct scaph_attachment *att, uint64_t now_ns)
{
	struct scaph_access access;
	int r;

	if (now_ns < att->opened_ns + att->reopen_wait_ns)
		return;
	att->opened_ns = now_ns;
	att->reopen_wait_ns *= 2;
	if (att->reopen_wait_ns > REOPEN_MAX_NS)
		att->reopen_wait_ns = REOPEN_MAX_NS;
	r = scaph_access_open(att->path, att->wanted, &access);
	if (r < 0) {
		if (att->access.fd < 0)
			att->refusal = errno_refusal(r);
		return;
	}
	if (att->usable && !holds_segment(&access)) {
		scaph_access_close(&access);
		return;
	}
	scaph_attachment_close(att);
	att->access = access;
}

static void take_epoch(struct scaph_attachment *att, const struct scaph_heads *heads,
		       uint64_t now_ns)
{
	att->attached = true;
	att->proven = false;
	att->head_must_move = false;
	att->tag = scaph_tag_of_epoch(att->desc.epoch_id);
	att->fast_prefix = scaph_slot_prefix(att->desc.epoch_id, att->desc.uuid, SCAPH_BLOCK_FAST);
	att->slow_prefix = scaph_slot_prefix(att->desc.epoch_id, att->desc.uuid, SCAPH_BLOCK_SLOW);
	att->heads = *heads;
	att->moved_ns = now_ns;
	att->reopen_wait_ns = REOPEN_MIN_NS;
}

/*
 * Movement is upwards: bytes of an earlier moment put back are no sign of life. The later
 * comparison is with what was put back, so that life after it shows at once.
 */
static void follow_heads(struct scaph_attachment *att, const struct scaph_heads *heads,
			 uint64_t now_ns)
{
	bool head = heads->fast > att->heads.fast;
	bool beat = heads->beat > att->heads.beat;

	if (head || beat) {
		att->moved_ns = now_ns;
		att->reopen_wait_ns = REOPEN_MIN_NS;
	}
	if (head || (beat && !att->head_must_move))
		att->proven = true;
	att->heads = *heads;
}

/* One look's worth of bytes, judged. */
static enum scaph_look judge(struct scaph_attachment *att, const uint8_t *prefix, uint64_t now_ns)
{
	enum scaph_descriptor_verdict verdict;
	struct scaph_geometry geometry;
	struct scaph_descriptor desc;
	struct scaph_heads heads;

	verdict = scaph_descriptor_check(prefix, att->access.bytes, &desc, &geometry);
	if (verdict != SCAPH_DESCRIPTOR_OK) {
		att->refusal = scaph_descriptor_verdict_text(verdict);
		return verdict == SCAPH_DESCRIPTOR_BUSY || verdict == SCAPH_DESCRIPTOR_BAD_CHECKSUM
			       ? SCAPH_LOOK_PASSING
			       : SCAPH_LOOK_NOTHING;
	}
	memcpy(&heads, prefix + SCAPH_HEAD_OFFSET, sizeof(heads));
	if (scaph_seq_tag(heads.fast) != scaph_tag_of_epoch(desc.epoch_id) ||
	    scaph_seq_is_busy(heads.fast)) {
		att->refusal = "its descriptor and its head are of two epochs; is scaphd running?";
		return SCAPH_LOOK_PASSING;
	}
	att->usable = true;
	att->geometry = geometry;
	att->refusal = "nothing in it has moved yet; is scaphd running on the host?";
	if (att->attached && desc.epoch_id == att->desc.epoch_id) {
		att->desc = desc;
		follow_heads(att, &heads, now_ns);
		return SCAPH_LOOK_SAME;
	}
	att->desc = desc;
	take_epoch(att, &heads, now_ns);
	scaph_access_populate(&att->access, &att->geometry.fast);
	return SCAPH_LOOK_EPOCH;
}

enum scaph_look scaph_attachment_look(struct scaph_attachment *att, uint64_t now_ns)
{
	enum scaph_look look = SCAPH_LOOK_PASSING;

	for (int try = 0; try < LOOK_TRIES && look == SCAPH_LOOK_PASSING; try++) {
		const uint8_t *prefix;
		int r;

		if (att->access.fd < 0)
			return SCAPH_LOOK_NOTHING;
		r = att->access.ops->look(&att->access, &prefix);
		if (r == -EINTR)
			return SCAPH_LOOK_PASSING;
		if (r < 0) {
			/* Not what it was: nothing of it is read again before a re-open. */
			att->refusal = errno_refusal(r);
			scaph_attachment_close(att);
			return SCAPH_LOOK_NOTHING;
		}
		look = judge(att, prefix, now_ns);
	}
	return look;
}

static bool heads_differ(const struct scaph_heads *a, const struct scaph_heads *b)
{
	return a->fast != b->fast || a->beat != b->beat;
}

bool scaph_attachment_thawed(struct scaph_attachment *att)
{
	struct scaph_access *access = &att->access;
	struct scaph_heads before, by_pread, after;

	if (att->wanted != SCAPH_MODE_AUTO || access->fd < 0 ||
	    scaph_access_mode(access) != SCAPH_MODE_COHERENT)
		return false;
	if (access->ops->heads(access, &before) < 0 ||
	    scaph_access_pread_heads(access, &by_pread) < 0 ||
	    access->ops->heads(access, &after) < 0)
		return false;
	/*
	 * The file says one thing and the mapping, before and after, another: a cache is in
	 * between.
	 */
	if (heads_differ(&before, &after) || !heads_differ(&before, &by_pread))
		return false;
	return scaph_access_to_snapshot(access) == 0;
}
