/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.c - frames out of a file of anybody's
 */
#include "consumer/recording/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/crc32c.h"

/* A recorder writes at least a state a second; one that was stopped itself may have a gap. */
#define SILENCE_NS_MAX (10 * 86400 * 1000000000ULL)

uint32_t scaph_frame_sum(const struct scaph_frame_head *head, const void *payload)
{
	struct scaph_frame_head copy = *head;
	uint32_t state;

	copy.crc = 0;
	state = scaph_crc32c_update(SCAPH_CRC32C_INIT, &copy, sizeof(copy));
	return scaph_crc32c_final(scaph_crc32c_update(state, payload, head->bytes));
}

uint32_t scaph_frame_bytes(uint32_t type)
{
	switch (type) {
	case SCAPH_FRAME_INFO:
		return sizeof(struct scaph_frame_info);
	case SCAPH_FRAME_RECORD:
		return sizeof(struct scaph_frame_record);
	case SCAPH_FRAME_STATE:
		return sizeof(struct scaph_frame_state);
	case SCAPH_FRAME_BULLETIN:
		return sizeof(struct scaph_frame_bulletin);
	default:
		return 0;
	}
}

static int take_head(struct scaph_recording *recording)
{
	struct scaph_recording_head head;
	uint32_t sum;

	if (fread(&head, sizeof(head), 1, recording->file) != 1)
		return ferror(recording->file) ? -EIO : SCAPH_RECORDING_FOREIGN;
	if (memcmp(head.magic, SCAPH_RECORDING_MAGIC, sizeof(head.magic)) != 0)
		return SCAPH_RECORDING_FOREIGN;
	if (head.version != SCAPH_RECORDING_VERSION)
		return SCAPH_RECORDING_NEWER;
	sum = scaph_crc32c_final(scaph_crc32c_update(SCAPH_CRC32C_INIT, &head,
						     offsetof(struct scaph_recording_head, crc)));
	if (head.head_bytes != sizeof(head) || head.crc != sum)
		return SCAPH_RECORDING_SPOILED;
	recording->wall_ns = head.wall_ns;
	recording->folder = head.folder == 1;
	recording->offset = sizeof(head);
	return 0;
}

int scaph_recording_open(const char *path, struct scaph_recording *ret_recording)
{
	struct scaph_recording recording = {};
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r;

	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : SCAPH_RECORDING_FOREIGN;
	if (r == 0)
		recording.file = fdopen(fd, "r");
	if (r == 0 && !recording.file)
		r = -errno;
	if (!recording.file) {
		close(fd);
		return r;
	}
	r = take_head(&recording);
	if (r)
		scaph_recording_close(&recording);
	else
		*ret_recording = recording;
	return r;
}

void scaph_recording_close(struct scaph_recording *recording)
{
	if (recording->file)
		fclose(recording->file);
	recording->file = NULL;
}

/* A text that has no end gets one: whoever shows it reads no further. */
#define END(text) ((text)[sizeof(text) - 1] = '\0')

static void end_texts(struct scaph_frame *frame)
{
	if (frame->head.type == SCAPH_FRAME_INFO) {
		END(frame->info.name);
		frame->info.uuid[36] = '\0';
		END(frame->info.source);
		END(frame->info.meter);
		END(frame->info.profile);
		END(frame->info.mode);
	} else if (frame->head.type == SCAPH_FRAME_STATE) {
		END(frame->state.reason);
	}
}

static int take_frame(struct scaph_recording *recording, struct scaph_frame *frame)
{
	struct scaph_frame_head *head = &frame->head;
	size_t got = fread(head, 1, sizeof(*head), recording->file);
	uint32_t wanted;

	if (got < sizeof(*head)) {
		if (ferror(recording->file))
			return -EIO;
		return got ? SCAPH_RECORDING_CUT : SCAPH_RECORDING_END;
	}
	wanted = scaph_frame_bytes(head->type);
	if (head->bytes > SCAPH_FRAME_BYTES_MAX || head->bytes < wanted)
		return SCAPH_RECORDING_SPOILED;
	if (head->bytes && fread(frame->bytes, head->bytes, 1, recording->file) != 1)
		return ferror(recording->file) ? -EIO : SCAPH_RECORDING_CUT;
	if (head->crc != scaph_frame_sum(head, frame->bytes) || head->track >= SCAPH_TRACKS_MAX ||
	    head->at_ns < recording->at_ns || head->at_ns - recording->at_ns > SILENCE_NS_MAX)
		return SCAPH_RECORDING_SPOILED;
	recording->at_ns = head->at_ns;
	recording->offset += sizeof(*head) + head->bytes;
	end_texts(frame);
	return 0;
}

int scaph_recording_next(struct scaph_recording *recording, struct scaph_frame *ret_frame)
{
	int r;

	do {
		r = take_frame(recording, ret_frame);
	} while (r == 0 && !scaph_frame_bytes(ret_frame->head.type) &&
		 ret_frame->head.type != SCAPH_FRAME_GONE);
	return r;
}

const char *scaph_recording_reason(int result)
{
	switch (result) {
	case SCAPH_RECORDING_END:
		return "it ends here";
	case SCAPH_RECORDING_CUT:
		return "it ends within a frame; what is before it is whole";
	case SCAPH_RECORDING_FOREIGN:
		return "not a recording; scaph record makes one";
	case SCAPH_RECORDING_NEWER:
		return "a recording of a newer scaph; play it with that";
	case SCAPH_RECORDING_SPOILED:
		return "spoiled: a frame is not as it was written; what is before it has been "
		       "shown";
	default:
		return strerror(-result);
	}
}
