/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener.h - a socket to be asked on
 */
#ifndef SCAPH_PROMETHEUS_LISTENER_H
#define SCAPH_PROMETHEUS_LISTENER_H

#include <stdbool.h>

struct scaph_listener {
	int fd;
	bool loopback; /* other machines cannot reach it */
	char url[96]; /* http://ADDRESS:PORT, with the port it really has */
};

/**
 * scaph_listener_open() - bind and listen
 * @address: HOST:PORT, [IPV6]:PORT, or :PORT for every address; port 0 takes a free one
 * @ret:     set on 0
 *
 * Return:   0, or a negative errno after one line on standard error.
 */
int scaph_listener_open(const char *address, struct scaph_listener *ret);

#endif
