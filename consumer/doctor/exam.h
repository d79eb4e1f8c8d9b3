/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exam.h - one family of checks, in a process of its own
 *
 * All of them run at once. What a check looks at may hang it for ever: then its process is left behind, and it is said which
 * did not answer. The parent touches no share.
 */
#ifndef SCAPH_DOCTOR_EXAM_H
#define SCAPH_DOCTOR_EXAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "consumer/doctor/finding.h"
#include "consumer/doctor/options.h"

/* The check's end. */
struct scaph_exam {
	const struct scaph_doctor_options *options;
	int fd;
};

/* The other one. */
struct scaph_patient {
	pid_t pid;
	int fd;
};

/* In a check: something is wrong. */
void scaph_exam_find(struct scaph_exam *exam, enum scaph_fault fault, const char *mend,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The checks. */
void scaph_check_way(struct scaph_exam *exam); /* of a guest to its figures */
void scaph_check_segments(struct scaph_exam *exam); /* what they say */
void scaph_check_shares(struct scaph_exam *exam); /* a host's folders */
void scaph_check_machines(struct scaph_exam *exam); /* a host's running machines */
void scaph_check_host(struct scaph_exam *exam); /* its counters, kernel and libvirt */

/* Start a check. 0 or a negative errno. */
int scaph_patient_start(struct scaph_patient *patient, void (*check)(struct scaph_exam *exam),
			const struct scaph_doctor_options *options);

/**
 * scaph_patient_hear() - the next finding
 * @until_ns:    on CLOCK_MONOTONIC
 * @ret_finding: set only on 1
 *
 * Return:   1; 0: the check is done; -ETIMEDOUT: it did not answer; -EIO: it ended before it was done.
 */
int scaph_patient_hear(struct scaph_patient *patient, uint64_t until_ns,
		       struct scaph_finding *ret_finding);

/* End it without waiting. */
void scaph_patient_stop(struct scaph_patient *patient);

#endif
