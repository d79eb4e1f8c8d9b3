/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - a recording, read frame by frame; nothing in it is believed before it was checked
 */
#ifndef SCAPH_RECORDING_FILE_H
#define SCAPH_RECORDING_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "consumer/recording/frame.h"

struct scaph_frame {
	struct scaph_frame_head head;
	union {
		uint8_t bytes[SCAPH_FRAME_BYTES_MAX];
		struct scaph_frame_info info;
		struct scaph_frame_record record;
		struct scaph_frame_state state;
		struct scaph_frame_bulletin bulletin;
	};
};

/* Positive results. */
enum {
	SCAPH_RECORDING_END = 1, /* no frame follows */
	SCAPH_RECORDING_CUT, /* the file ends within a frame: its writer was killed, or the disk was full */
	SCAPH_RECORDING_FOREIGN, /* not a recording */
	SCAPH_RECORDING_NEWER, /* of a version that this code does not know */
	SCAPH_RECORDING_SPOILED, /* a frame's checksum, length, track or time is wrong */
};

struct scaph_recording {
	FILE *file;
	uint64_t wall_ns;
	bool folder;
	uint64_t at_ns; /* of the frame before */
	uint64_t offset; /* where the next frame begins: for messages */
};

/* Open a regular file; 0, a positive result, or a negative errno. */
int scaph_recording_open(const char *path, struct scaph_recording *ret_recording);
void scaph_recording_close(struct scaph_recording *recording);

/* The next frame of a type that is known; 0, a positive result, or a negative errno. */
int scaph_recording_next(struct scaph_recording *recording, struct scaph_frame *ret_frame);

/* What a result of either says: one clause. */
const char *scaph_recording_reason(int result);

#endif
