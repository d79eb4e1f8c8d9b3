/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - scaph run
 */
#ifndef SCAPH_RUN_RUN_H
#define SCAPH_RUN_RUN_H

/* argv[0] is "run"; returns the exit status. */
int scaph_run(int argc, char **argv);

#endif
