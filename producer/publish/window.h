/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.h - what is done at a window's end
 *
 * Publisher thread only; the baseline and the first epoch are the main thread's, before it is
 * started.
 */
#ifndef SCAPH_PRODUCER_WINDOW_H
#define SCAPH_PRODUCER_WINDOW_H

#include "producer/publish/publisher.h"

/* The machine's idle power is known from now on. */
void scaph_window_set_idle(struct scaph_publisher *publisher, uint64_t idle_uw);

/*
 * Take the table's entries into live and readings, but for those whose epoch begins after now_ns. In
 * a read lock, or with no other thread.
 */
void scaph_window_look(struct scaph_publisher *publisher, uint64_t now_ns);

/*
 * Readings to subtract the first window's from, and an epoch in every segment: 0 or a negative
 * errno.
 */
int scaph_window_begin(struct scaph_publisher *publisher, uint64_t now_ns);

/*
 * Close the window that ends now: one record for everybody. Nothing if CPU times cannot be read:
 * the next one takes it over. In a read lock of the table.
 */
void scaph_window_close(struct scaph_publisher *publisher, uint64_t now_ns);

#endif
