/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h - what the files of the library share of a reader
 */
#ifndef SCAPH_CONSUMER_READER_H
#define SCAPH_CONSUMER_READER_H

#include <stdint.h>

struct scaph_cursor;
struct scaph_reader;
struct scaph_record;
struct scaph_timeline;

/* Lives as long as the reader. */
struct scaph_cursor *scaph_reader_cursor(struct scaph_reader *reader);
struct scaph_timeline *scaph_reader_timeline(struct scaph_reader *reader);

/* A record of the present epoch by its number: SCAPH_OK and set, SCAPH_LAPPED, SCAPH_EMPTY, or a negative errno. */
int scaph_reader_at(struct scaph_reader *reader, uint64_t number, struct scaph_record *ret);

/* Until that time of CLOCK_MONOTONIC: 0 or -EINTR. */
int scaph_reader_sleep_until(uint64_t mono_ns);

#endif
