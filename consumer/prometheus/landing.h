/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landing.h - the page for people who came by browser: where the metrics are, and how things stand
 */
#ifndef SCAPH_PROMETHEUS_LANDING_H
#define SCAPH_PROMETHEUS_LANDING_H

#include <stdio.h>

#include "consumer/prometheus/metrics.h"

#define SCAPH_LANDING_TYPE "text/html; charset=utf-8"

void scaph_landing_write(const struct scaph_exposed *exposed, const char *metrics_path, FILE *file);

#endif
