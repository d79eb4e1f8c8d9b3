/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulletin.h - what every segment says beside its records: status once a second, and at the end why
 * it ended
 *
 * Publisher thread; before it is started and after it has ended, the main thread.
 */
#ifndef SCAPH_PRODUCER_BULLETIN_H
#define SCAPH_PRODUCER_BULLETIN_H

#include "producer/publisher.h"

/* Slow ring and status of every publication that lives. */
void scaph_bulletin_second(struct scaph_publisher *publisher, uint64_t now_ns);

/* Retire at once the domains that were found gone. */
void scaph_bulletin_retire_gone(struct scaph_publisher *publisher, uint64_t now_ns);

/* Retire all that lives: the producer ends in order. */
void scaph_bulletin_retire_all(struct scaph_publisher *publisher, uint64_t now_ns);

#endif
