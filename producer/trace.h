/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h - a recorded run of raw energy counters, as a file of text
 *
 * The format is documented in docs/man/scaph-trace.5. Parsed whole at start, so that playing it
 * needs neither memory nor I/O. A trace that was read has the package zone, two or more lines,
 * times that rise, and no value above its zone's range.
 */
#ifndef SCAPH_PRODUCER_TRACE_H
#define SCAPH_PRODUCER_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "producer/source.h"

struct scaph_trace_line {
	uint64_t mono_ns;
	uint64_t raw_uj[SCAPH_ZONES]; /* counters as recorded, by zone */
};

struct scaph_trace {
	uint32_t zones;
	uint64_t range_uj[SCAPH_ZONES]; /* greatest value before 0; 0: does not wrap */
	bool estimated;
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

/* From the first line to the last. */
uint64_t scaph_trace_span_ns(const struct scaph_trace *trace);

/*
 * The shortest time to a wrap, at the highest power that a zone keeps up for a second of the trace;
 * 0: none wraps.
 */
uint64_t scaph_trace_wrap_ns(const struct scaph_trace *trace);

#endif
