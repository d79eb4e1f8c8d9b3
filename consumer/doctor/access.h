/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.h - why this user may not read a file
 */
#ifndef SCAPH_DOCTOR_ACCESS_H
#define SCAPH_DOCTOR_ACCESS_H

#include "consumer/doctor/exam.h"

/* A file that says "permission denied": its group may read it, or root alone. Says so. */
void scaph_access_explain(struct scaph_exam *exam, const char *path);

#endif
