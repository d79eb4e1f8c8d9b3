/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - findings, for people and for programs
 */
#ifndef SCAPH_DOCTOR_REPORT_H
#define SCAPH_DOCTOR_REPORT_H

#include <stdint.h>

#include "consumer/doctor/finding.h"

#define SCAPH_REPORTED_MAX 1024U

struct scaph_findings {
	unsigned int roles; /* enum scaph_role */
	struct scaph_finding *finding;
	uint32_t count;
	uint32_t faults; /* of them; the rest are warnings */
};

/* 0, or -EIO: standard output did not take it. */
int scaph_findings_text(const struct scaph_findings *findings);
int scaph_findings_json(const struct scaph_findings *findings);

#endif
