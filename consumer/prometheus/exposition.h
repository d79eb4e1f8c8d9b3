/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exposition.h - a survey as Prometheus reads it: text format 0.0.4, or OpenMetrics 1.0
 *
 * The same series in both. No timestamps: a figure is of the moment of asking.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 *         https://github.com/OpenObservability/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 */
#ifndef SCAPH_PROMETHEUS_EXPOSITION_H
#define SCAPH_PROMETHEUS_EXPOSITION_H

#include <stdio.h>

#include "consumer/prometheus/metrics.h"

enum scaph_form { SCAPH_FORM_TEXT, SCAPH_FORM_OPENMETRICS };

/* A name of 255 bytes, each four characters long. */
#define SCAPH_LABEL_BYTES 2048U

/**
 * scaph_label_escape() - a name from outside as a label's value
 * @ret_text: printable UTF-8 without quotes, backslashes doubled; what is not printable as \xNN, as every view shows it
 */
void scaph_label_escape(const char *name, char ret_text[SCAPH_LABEL_BYTES]);

/* The Content-Type of a form. */
const char *scaph_exposition_type(enum scaph_form form);

void scaph_exposition_write(const struct scaph_exposed *exposed, enum scaph_form form, FILE *file);

#endif
