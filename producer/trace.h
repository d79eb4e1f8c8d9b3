/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h - a recorded run of raw energy counters, as a file of text
 *
 * The format is documented in docs/man/scaph-trace.5. Parsed whole at start, so that playing it needs neither memory nor I/O.
 */
#ifndef SCAPH_PRODUCER_TRACE_H
#define SCAPH_PRODUCER_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "producer/source.h"

struct scaph_trace_line {
	uint64_t mono_ns;
	uint64_t raw[SCAPH_ZONES]; /* counters as recorded, by zone */
};

struct scaph_trace {
	uint32_t zones;
	uint64_t range_uj[SCAPH_ZONES]; /* counter wraps to 0 after this value; 0: it does not wrap */
	bool idle_known;
	uint64_t idle_uw;
	struct scaph_trace_line *line;
	size_t count;
};

/**
 * scaph_trace_read() - read and check a trace file
 * @path:      text file
 * @ret_trace: set only on 0; freed with scaph_trace_clear()
 *
 * Return:   0, or a negative errno after one line that names file, line and mend.
 */
int scaph_trace_read(const char *path, struct scaph_trace *ret_trace);
void scaph_trace_clear(struct scaph_trace *trace);

#endif
