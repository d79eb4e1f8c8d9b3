/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.h - which form of the metrics a client asks for
 *
 * The header is from outside: any bytes, up to the server's limit of a request's head. Pure functions.
 * Source: RFC 9110, 12.4.2 and 12.5.1.
 */
#ifndef SCAPH_PROMETHEUS_ACCEPT_H
#define SCAPH_PROMETHEUS_ACCEPT_H

#include <stdbool.h>

/**
 * scaph_accept_openmetrics() - whether OpenMetrics 1.0 is wanted rather than text 0.0.4
 * @accept: the Accept header; NULL: there is none
 *
 * Return:  true only if the client names OpenMetrics, and likes text no better. An element that breaks the rules is passed
 *          over, and who accepts neither gets text: a scrape without an answer would help nobody.
 */
bool scaph_accept_openmetrics(const char *accept);

#endif
