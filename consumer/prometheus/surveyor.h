/* SPDX-License-Identifier: Apache-2.0 */
/*
 * surveyor.h - the serving process's hold on the surveying one
 *
 * Nothing here touches a share or waits. A surveying process that is silent is left alone for a while, then killed, and
 * replaced once it is really gone: one that hangs with its share cannot be killed before that answers.
 *
 * Owner: the main loop; one thread.
 */
#ifndef SCAPH_PROMETHEUS_SURVEYOR_H
#define SCAPH_PROMETHEUS_SURVEYOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "consumer/prometheus/survey.h"

struct scaph_surveyor {
	struct scaph_survey_place place;
	pid_t child; /* 0: none */
	int fd; /* the socket to it; -1: none */
	bool killed;
	bool hung_said; /* the log has it */
	uint64_t started_ns;
	uint64_t heard_ns; /* its last whole survey, or its start */
	uint64_t survey_ns; /* when the last whole survey came, from whichever child */
	uint64_t replaced; /* children so far, but the first */
	char *buffer;
	size_t filled, size;
	bool has_survey;
	struct scaph_survey survey; /* the last whole one; may be old: see responds() */
};

/* Start the first child; 0 or a negative errno. */
int scaph_surveyor_start(struct scaph_surveyor *surveyor, const struct scaph_survey_place *where);

/* End it without waiting. */
void scaph_surveyor_stop(struct scaph_surveyor *surveyor);

/* Take what has come; true: there is a new survey. Does not block. */
bool scaph_surveyor_take(struct scaph_surveyor *surveyor);

/* Ask for a survey now. */
void scaph_surveyor_ask(struct scaph_surveyor *surveyor);

/* Whether the last survey is so young that it may be shown. */
bool scaph_surveyor_responds(const struct scaph_surveyor *surveyor);

/* At least once a second: kill what is silent for long, replace what has ended. */
void scaph_surveyor_tend(struct scaph_surveyor *surveyor);

#endif
