/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what was measured, for people, for programs, as a picture
 */
#ifndef SCAPH_BENCH_REPORT_H
#define SCAPH_BENCH_REPORT_H

#include <stdio.h>

#include "tools/bench/scale.h"
#include "tools/bench/topic.h"

/* The processor's name and the kernel's, as one line. */
const char *bench_machine(void);

void bench_table_print(FILE *file, const struct bench_plan *plan);

/* One object; 0 or a negative errno. */
int bench_json_print(FILE *file, const struct bench_plan *plan);

/* One list; 0 or a negative errno. */
int bench_json_print_scale(FILE *file, const struct bench_scale_figures *figures,
			   unsigned int count);

/* An SVG picture: costs of all transports on one scale, and how a publish grows. */
void bench_plot_print(FILE *file);

#endif
