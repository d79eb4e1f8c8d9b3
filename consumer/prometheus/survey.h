/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey.h - reading every segment, in a process of its own
 *
 * The surveying process takes every record in batches, keeps an exhibit of each subject, and sends all of them over a socket once
 * a second and whenever it is asked. It may hang in the kernel with a share; whoever asked does not.
 */
#ifndef SCAPH_PROMETHEUS_SURVEY_H
#define SCAPH_PROMETHEUS_SURVEY_H

#include <stdint.h>

#include "consumer/prometheus/exhibit.h"

#define SCAPH_SURVEY_EXHIBITS_MAX 8192U

/* What is sent: this, then its exhibits. */
struct scaph_survey_head {
	uint32_t exhibits;
	uint32_t segments; /* found */
	uint32_t unreadable; /* of these, nothing is known of whom they belong to */
	char reason[512]; /* why there are no segments, or one is unreadable; one clause; "" if all is well */
};

struct scaph_survey {
	struct scaph_survey_head head;
	struct scaph_exhibit *exhibit; /* head.exhibits of them */
};

/* What is surveyed. */
struct scaph_survey_place {
	const char *path; /* as given to scaph_find() */
	const char *replay; /* a recording in its place; NULL: none */
	double replay_speed;
};

/**
 * scaph_survey_run() - survey until the other end of the socket is closed
 * @fd:   a byte read from it asks for a survey at once
 * @place: stays the caller's
 * @from: an earlier survey to go on from; stays the caller's
 *
 * Context:  a forked process; may block for ever on a hung share.
 * Return:   when it cannot go on.
 */
void scaph_survey_run(int fd, const struct scaph_survey_place *place,
		      const struct scaph_survey *from);

#endif
