/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h - everything one run of scaphd holds, opened in order and closed in the other
 */
#ifndef SCAPH_PRODUCER_DAEMON_H
#define SCAPH_PRODUCER_DAEMON_H

#include "producer/config.h"
#include "producer/publisher.h"

struct scaph_daemon {
	const struct scaph_config *config;
	struct scaph_publication_terms terms;
	struct scaph_source *source;
	struct scaph_meter *meter;
	struct scaph_domain *domains;
	struct scaph_publication *publications;
	struct scaph_reading *readings;
	uint32_t count;
	struct scaph_sampler sampler;
	struct scaph_publisher publisher;
	bool publisher_open;
	int state_fd; /* held for its lock */
};

/**
 * scaph_daemon_open() - source, meter, folders, domains; with @config->check nothing is made or
 * written
 *
 * Return:   0, or a negative errno after one line; scaph_daemon_close() either way.
 */
int scaph_daemon_open(const struct scaph_config *config, struct scaph_daemon *ret_daemon);

/* Open every segment: 0, or a negative errno after one line. */
int scaph_daemon_open_segments(struct scaph_daemon *daemon);
void scaph_daemon_close(struct scaph_daemon *daemon);

/* What --check prints on standard output: 0, or a negative errno after a line on standard error. */
int scaph_daemon_describe(const struct scaph_daemon *daemon);

#endif
