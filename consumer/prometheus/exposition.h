/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exposition.h - a survey as Prometheus reads it: text format 0.0.4
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#ifndef SCAPH_PROMETHEUS_EXPOSITION_H
#define SCAPH_PROMETHEUS_EXPOSITION_H

#include <stdio.h>

#include "consumer/prometheus/metrics.h"

#define SCAPH_EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"
/* A name of 255 bytes, each four characters long. */
#define SCAPH_LABEL_BYTES 2048U

/**
 * scaph_label_escape() - a name from outside as a label's value
 * @ret_text: printable UTF-8 without quotes, backslashes doubled; what is not printable as \xNN, as every view shows it
 */
void scaph_label_escape(const char *name, char ret_text[SCAPH_LABEL_BYTES]);

void scaph_exposition_write(const struct scaph_exposed *exposed, FILE *file);

#endif
