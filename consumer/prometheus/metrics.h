/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.h - what is exposed of a domain, or of the host's totals: a table, one row a metric
 */
#ifndef SCAPH_PROMETHEUS_METRICS_H
#define SCAPH_PROMETHEUS_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consumer/prometheus/survey.h"

/* What can be said now. */
struct scaph_exposed {
	const struct scaph_survey *survey;
	bool responds; /* else the survey is old, and no figure of it is shown */
	uint64_t replaced; /* reading processes */
};

/* How a sample's whole number is to be shown: in ones, or as a decimal fraction. */
enum scaph_unit { SCAPH_UNIT_ONE, SCAPH_UNIT_MICRO, SCAPH_UNIT_NANO };

struct scaph_sample {
	const char *labels; /* further ones, or "" */
	bool negative;
	uint64_t value;
};

struct scaph_metric {
	const char *name; /* after scaph_vm_ or scaph_host_ */
	const char *type;
	const char *help;
	enum scaph_unit unit;
	/* The sample @at of a subject; false: not known now. */
	bool (*sample)(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit,
		       uint32_t at, struct scaph_sample *ret);
	uint32_t samples; /* of one subject, at most */
	bool host_only;
};

extern const struct scaph_metric scaph_metrics[];
extern const size_t scaph_metrics_count;

/* State as it is to be shown: that of a survey that is old is not known any more. */
int scaph_exposed_state(const struct scaph_exposed *exposed, const struct scaph_exhibit *exhibit);

/* Whether any figure is live. */
bool scaph_exposed_up(const struct scaph_exposed *exposed);

#endif
