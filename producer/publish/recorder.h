/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorder.h - what was measured, as a trace that can be played again: --record
 *
 * The publisher puts lines into a buffer of fixed size, a thread of the recorder's writes them to the
 * file. If the disk does not keep up the trace ends there, for one with a hole would be wrong.
 * The format is documented in docs/man/scaph-trace.5.
 */
#ifndef SCAPH_PRODUCER_RECORDER_H
#define SCAPH_PRODUCER_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/source/sampler.h"
#include "producer/source/source.h"

struct scaph_recorder;
struct scaph_publisher;
struct scaph_window;

/* Create the file and write the headers: 0, or a negative errno after one line. */
int scaph_recorder_open(const char *path, const struct scaph_source *source,
			struct scaph_recorder **ret_recorder);

/* Start the thread that writes. */
int scaph_recorder_start(struct scaph_recorder *recorder);

/* All that was recorded is in the file. NULL is allowed. False: the trace ended early. */
bool scaph_recorder_close(struct scaph_recorder *recorder);

/* Publisher: the counters as they were read, and with them how a window's CPU time was divided. */
void scaph_recorder_numbers(struct scaph_recorder *recorder, uint64_t mono_ns,
			    const struct scaph_energy *energy);
void scaph_recorder_window(struct scaph_recorder *recorder, const struct scaph_publisher *publisher,
			   const struct scaph_window *window);

#endif
