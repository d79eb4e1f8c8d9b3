/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h - what the files of the library share of a reader
 */
#ifndef SCAPH_CONSUMER_READER_H
#define SCAPH_CONSUMER_READER_H

struct scaph_cursor;
struct scaph_reader;

/* Lives as long as the reader. */
struct scaph_cursor *scaph_reader_cursor(struct scaph_reader *reader);

#endif
