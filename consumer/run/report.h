/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what scaph run says at the end
 */
#ifndef SCAPH_RUN_REPORT_H
#define SCAPH_RUN_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "consumer/run/command.h"
#include "consumer/run/watch.h"

#define SCAPH_RUN_RECORDS_MIN 2U /* below that there is no figure */

struct scaph_report {
	char **words;
	struct scaph_outcome outcome;
	struct scaph_watch_answer answer;
	bool heard; /* the answer is an account */
	char reason[1100]; /* why there are no figures, or not for all of the time; "" if there are */
};

/* The command's part of the dynamic energy: by its CPU time in the whole domain's. */
struct scaph_part {
	bool known;
	bool has_idle; /* else no idle part is known, and all is divided */
	double dynamic_uj; /* of the domain */
	double fraction; /* 0 to 1 */
	double own_uj;
};
struct scaph_part scaph_report_part(const struct scaph_report *report);

/* Whether there is enough for a figure; if not, or not for the whole time, the reason is set. */
bool scaph_report_judge(struct scaph_report *report);

void scaph_report_text(struct scaph_report *report, FILE *file);

/* One line of JSON; the schema is in scaph(1). */
void scaph_report_json(struct scaph_report *report, FILE *file);

#endif
