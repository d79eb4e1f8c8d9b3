/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attachment.c - attach, proof of life, re-open, and finding out that a mapping is frozen
 */
#include "shm/attachment.h"

#include <errno.h>
#include <string.h>

#include "proto/seq.h"
#include "proto/slot.h"
#include "proto/status.h"

#define LOOK_TRIES 4

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
		return "the file was cut under the reader; run scaph-vm repair on the host";
	case ENOTSUP:
		return "not a file a segment can be";
	default:
		return strerror(-error);
	}
}

int scaph_attachment_open(struct scaph_attachment *att, const char *path, enum scaph_mode mode,
			  uint64_t now_ns)
{
	int r;

	*att = (struct scaph_attachment){
		.path = path,
		.wanted = mode,
		.access = { .fd = -1 },
		.opened_ns = now_ns,
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

void scaph_attachment_reopen(struct scaph_attachment *att, uint64_t now_ns)
{
	int r;

	scaph_attachment_close(att);
	att->opened_ns = now_ns;
	r = scaph_access_open(att->path, att->wanted, &att->access);
	if (r < 0)
		att->refusal = errno_refusal(r);
}

static void take_epoch(struct scaph_attachment *att, const struct scaph_head *head, uint64_t now_ns)
{
	att->attached = true;
	att->proven = false;
	att->tag = scaph_tag_of_epoch(att->desc.epoch_id);
	att->fast_prefix = scaph_slot_prefix(att->desc.epoch_id, att->desc.uuid, SCAPH_BLOCK_FAST);
	att->slow_prefix = scaph_slot_prefix(att->desc.epoch_id, att->desc.uuid, SCAPH_BLOCK_SLOW);
	att->head = *head;
	att->moved_ns = now_ns;
	memset(&att->status, 0, sizeof(att->status));
}

static bool head_moved(const struct scaph_head *a, const struct scaph_head *b)
{
	return a->fast_head != b->fast_head || a->beat != b->beat;
}

/* One look's worth of bytes, judged. */
static enum scaph_look judge(struct scaph_attachment *att, const uint8_t *prefix, uint64_t now_ns,
			     enum scaph_descriptor_verdict *ret_verdict)
{
	uint64_t epoch_id = att->attached ? att->desc.epoch_id : 0;
	struct scaph_geometry geometry;
	struct scaph_descriptor desc;
	struct scaph_head head;

	*ret_verdict = scaph_descriptor_check(prefix, att->access.bytes, &desc, &geometry);
	if (*ret_verdict != SCAPH_DESCRIPTOR_OK) {
		att->refusal = scaph_descriptor_verdict_text(*ret_verdict);
		return SCAPH_LOOK_NOTHING;
	}
	memcpy(&head, prefix + SCAPH_HEAD_OFFSET, sizeof(head));
	if (scaph_seq_tag(head.fast_head) != scaph_tag_of_epoch(desc.epoch_id) ||
	    scaph_seq_is_busy(head.fast_head)) {
		att->refusal = "its descriptor and its head are of two epochs";
		return SCAPH_LOOK_NOTHING;
	}
	att->desc = desc;
	att->geometry = geometry;
	att->usable = true;
	att->refusal = "nothing in it has moved yet; is scaphd running on the host?";
	if (!att->attached || desc.epoch_id != epoch_id) {
		take_epoch(att, &head, now_ns);
	} else if (head_moved(&att->head, &head)) {
		att->proven = true;
		att->moved_ns = now_ns;
		att->head = head;
	}
	scaph_status_check(prefix + SCAPH_STATUS_OFFSET, desc.epoch_id, &att->status);
	return desc.epoch_id == epoch_id ? SCAPH_LOOK_SAME : SCAPH_LOOK_EPOCH;
}

enum scaph_look scaph_attachment_look(struct scaph_attachment *att, uint64_t now_ns)
{
	enum scaph_descriptor_verdict verdict = SCAPH_DESCRIPTOR_BUSY;
	enum scaph_look look = SCAPH_LOOK_NOTHING;

	for (int try = 0; try < LOOK_TRIES && look == SCAPH_LOOK_NOTHING; try++) {
		const uint8_t *prefix;
		int r;

		if (att->access.fd < 0)
			return SCAPH_LOOK_NOTHING;
		r = att->access.ops->look(&att->access, &prefix);
		if (r < 0) {
			/* The mapping or file is not what it was: nothing of it is read again before a re-open. */
			att->refusal = errno_refusal(r);
			scaph_attachment_close(att);
			return SCAPH_LOOK_NOTHING;
		}
		look = judge(att, prefix, now_ns, &verdict);
		/* Only what may be a torn copy, or an epoch just beginning, deserves another try at once. */
		if (verdict != SCAPH_DESCRIPTOR_OK && verdict != SCAPH_DESCRIPTOR_BUSY &&
		    verdict != SCAPH_DESCRIPTOR_BAD_CHECKSUM)
			break;
	}
	return look;
}

bool scaph_attachment_thawed(struct scaph_attachment *att)
{
	struct scaph_head before, by_pread, after;

	if (att->wanted != SCAPH_MODE_AUTO || att->access.fd < 0 ||
	    scaph_access_mode(&att->access) != SCAPH_MODE_COHERENT)
		return false;
	if (att->access.ops->head(&att->access, &before) < 0 ||
	    scaph_access_pread_head(&att->access, &by_pread) < 0 ||
	    att->access.ops->head(&att->access, &after) < 0)
		return false;
	/* The file says one thing and the mapping, before and after, another: a page cache stands in between. */
	if (head_moved(&before, &after) || !head_moved(&before, &by_pread))
		return false;
	return scaph_access_to_snapshot(&att->access) == 0;
}
