/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.c - scaph doctor: all checks at once, their findings in order, and a deadline for the whole
 */
#include "consumer/doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "consumer/command/options.h"
#include "consumer/doctor/exam.h"
#include "consumer/doctor/options.h"
#include "consumer/doctor/report.h"

enum { WRONG = 1, USAGE = 2 };

static const struct {
	const char *where; /* for one that does not answer */
	const char *mend;
	unsigned int roles; /* enum scaph_role */
	void (*look)(struct scaph_exam *exam);
} checks[] = {
	{ "the way to this guest's share",
	  "look whether virtiofsd runs on the host; then umount -l "
	  "the share and mount it again",
	  SCAPH_ROLE_GUEST, scaph_check_way },
	{ "the segments",
	  "look whether virtiofsd runs on the host; or give more time with --timeout",
	  SCAPH_ROLE_GUEST | SCAPH_ROLE_HOST, scaph_check_segments },
	{ "the folder of shares", "umount -l what hangs there", SCAPH_ROLE_HOST,
	  scaph_check_shares },
	{ "the running machines", "give more time with --timeout", SCAPH_ROLE_HOST,
	  scaph_check_machines },
	{ "counters, kernel and libvirt's version", "see whether virsh --version ends",
	  SCAPH_ROLE_HOST, scaph_check_host },
};
#define CHECKS (sizeof(checks) / sizeof(checks[0]))

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void add(struct scaph_findings *findings, const struct scaph_finding *finding)
{
	if (findings->count == SCAPH_REPORTED_MAX)
		return;
	findings->finding[findings->count++] = *finding;
	findings->faults += !scaph_fault_is_warning(finding->fault);
}

static void hear(struct scaph_findings *findings, size_t check, struct scaph_patient *patient,
		 uint64_t until_ns)
{
	struct scaph_finding finding;
	int r;

	while ((r = scaph_patient_hear(patient, until_ns, &finding)) > 0)
		add(findings, &finding);
	if (r == 0)
		return;
	finding = (struct scaph_finding){ .fault = SCAPH_FAULT_NO_ANSWER };
	snprintf(finding.what, sizeof(finding.what), "%s: %s", checks[check].where,
		 r == -ETIMEDOUT ? "no answer within the time limit" : "looking ended too early");
	snprintf(finding.mend, sizeof(finding.mend), "%s", checks[check].mend);
	add(findings, &finding);
}

static int examine(const struct scaph_doctor_options *options, struct scaph_findings *findings)
{
	struct scaph_patient patients[CHECKS] = {};
	uint64_t until_ns = now_ns() + options->timeout_ns;
	size_t started;
	int r = 0;

	for (started = 0; started < CHECKS; started++) {
		if (!(checks[started].roles & options->roles))
			continue;
		r = scaph_patient_start(&patients[started], checks[started].look, options);
		if (r < 0)
			break;
	}
	for (size_t i = 0; i < started; i++) {
		if (!(checks[i].roles & options->roles))
			continue;
		if (r == 0)
			hear(findings, i, &patients[i], until_ns);
		scaph_patient_stop(&patients[i]);
	}
	return r;
}

int scaph_doctor(int argc, char **argv)
{
	struct scaph_doctor_options options;
	struct scaph_findings findings = {};
	int r = scaph_doctor_options_read(argc, argv, &options);

	if (r)
		return r == SCAPH_OPTIONS_DONE ? EXIT_SUCCESS : USAGE;
	findings.roles = options.roles;
	findings.finding = calloc(SCAPH_REPORTED_MAX, sizeof(*findings.finding));
	r = findings.finding ? examine(&options, &findings) : -ENOMEM;
	if (r == 0)
		r = options.json ? scaph_findings_json(&findings) : scaph_findings_text(&findings);
	free(findings.finding);
	if (r < 0)
		fprintf(stderr, "scaph: doctor: %s\n", strerror(-r));
	return r < 0 || findings.faults ? WRONG : EXIT_SUCCESS;
}
