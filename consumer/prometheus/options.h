/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - command line of scaph prometheus
 */
#ifndef SCAPH_PROMETHEUS_OPTIONS_H
#define SCAPH_PROMETHEUS_OPTIONS_H

#include <stdint.h>

#include "consumer/prometheus/survey.h"

#define SCAPH_ADDRESSES_MAX 16U

struct scaph_exporter_options {
	const char *address[SCAPH_ADDRESSES_MAX];
	uint32_t addresses; /* at least 1 */
	const char *metrics_path;
	struct scaph_survey_place place;
};

/* Positive result: --help was shown. */
enum { SCAPH_EXPORTER_OPTIONS_DONE = 1 };

/* 0, SCAPH_EXPORTER_OPTIONS_DONE, or -EINVAL after one line on standard error. */
int scaph_exporter_options_read(int argc, char **argv, struct scaph_exporter_options *ret_options);

#endif
