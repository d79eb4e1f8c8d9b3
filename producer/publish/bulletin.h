/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulletin.h - what every segment says beside its records: status once a second, and at the end why
 * it ended
 */
#ifndef SCAPH_PRODUCER_BULLETIN_H
#define SCAPH_PRODUCER_BULLETIN_H

#include "producer/publish/publisher.h"

/* Slow ring and status of every publication. Publisher thread, or with no other thread. */
void scaph_bulletin_second(struct scaph_publisher *publisher, uint64_t now_ns);

/* Retire a domain that has left the table. Main thread. */
void scaph_bulletin_retire(struct scaph_entry *entry);

/* Retire all: the producer ends in order. With no other thread. */
void scaph_bulletin_retire_all(struct scaph_publisher *publisher, uint64_t now_ns);

#endif
