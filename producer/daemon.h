/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h - everything one run of scaphd holds, opened in order and closed in the other
 */
#ifndef SCAPH_PRODUCER_DAEMON_H
#define SCAPH_PRODUCER_DAEMON_H

#include "producer/publish/admission.h"
#include "producer/config/config.h"
#include "producer/control/control.h"
#include "producer/domain/discovery.h"
#include "producer/domain/mailbox.h"
#include "producer/publish/dram.h"
#include "producer/publish/publisher.h"

struct scaph_daemon {
	const struct scaph_config *config;
	struct scaph_publication_terms terms;
	struct scaph_topology topology;
	struct scaph_source *source;
	struct scaph_meter *meter;
	struct scaph_sampler samplers[SCAPH_PACKAGES_MAX];
	struct scaph_domain *domains; /* of options, until they are let in */
	uint32_t domain_count;
	int state_fd; /* held for its lock */
	struct scaph_ledger ledger;
	struct scaph_table *table;
	struct scaph_recorder *recorder;
	struct scaph_publisher publisher;
	struct scaph_admission admission;
	struct scaph_mailbox mailbox;
	struct scaph_control *control; /* NULL: there is no socket */
	struct scaph_dram dram; /* timer_fd -1: the source has no dram zone */
	struct scaph_hypervisor *hypervisor;
	struct scaph_discovery *discovery; /* NULL: none was asked for */
};

/**
 * scaph_daemon_open() - source, meter, folders, domains of options; with @config->check nothing is
 * made or written
 *
 * Return:   0, or a negative errno after one line; scaph_daemon_close() either way.
 */
int scaph_daemon_open(const struct scaph_config *config, struct scaph_daemon *ret_daemon);

/* Counters, publisher, every segment: 0, or a negative errno after one line. */
int scaph_daemon_open_segments(struct scaph_daemon *daemon);
void scaph_daemon_close(struct scaph_daemon *daemon);

/* Whether domains come from a hypervisor. */
bool scaph_daemon_has_hypervisor(const struct scaph_daemon *daemon);

/* Begin to listen to libvirt alone: as below. */
int scaph_daemon_listen_to_libvirt(struct scaph_daemon *daemon);

/* Begin to listen to it, and to look for machines: 0, or a negative errno after one line. */
int scaph_daemon_listen(struct scaph_daemon *daemon);

/* Say what the publisher has noted since the last time, and act on it. */
void scaph_daemon_report(struct scaph_daemon *daemon);

/* To a service manager: what is published, when that has changed. */
void scaph_daemon_tell_status(struct scaph_daemon *daemon);

/* That it lives, if the publisher has done anything since this was last called. */
void scaph_daemon_tell_alive(struct scaph_daemon *daemon);

/* What --check prints on standard output: 0, or a negative errno after a line on standard error. */
int scaph_daemon_describe(struct scaph_daemon *daemon);

/* --calibrate: 0, or a negative errno after a line on standard error. @signal_fd: ends it early. */
int scaph_daemon_calibrate(struct scaph_daemon *daemon, int signal_fd);

#endif
