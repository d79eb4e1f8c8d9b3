/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - scaph doctor: what is wrong with this machine as a guest or as a host, and what mends it
 */
#ifndef SCAPH_DOCTOR_DOCTOR_H
#define SCAPH_DOCTOR_DOCTOR_H

/* The subcommand; argv[0] is its name. Returns the exit status. */
int scaph_doctor(int argc, char **argv);

#endif
