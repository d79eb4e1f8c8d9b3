/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h - a recorded run of raw energy counters, as a file of text
 *
 * The format is documented in docs/man/scaph-trace.5. Parsed whole at start, so that playing it
 * needs neither memory nor I/O. A trace that was read has the package zone of every package, two or
 * more lines, times that rise, and no value above its counter's range.
 */
#ifndef SCAPH_PRODUCER_TRACE_H
#define SCAPH_PRODUCER_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "producer/source/source.h"

#define SCAPH_TRACE_COLUMNS_MAX (SCAPH_PACKAGES_MAX * SCAPH_ZONES)

/* One counter: a column of the file. */
struct scaph_trace_column {
	uint32_t package;
	int zone;
};

struct scaph_trace {
	uint32_t packages;
	struct scaph_source_package package[SCAPH_PACKAGES_MAX];
	uint32_t columns;
	struct scaph_trace_column column[SCAPH_TRACE_COLUMNS_MAX];
	bool estimated;
	bool idle_known;
	uint64_t idle_uw;
	size_t count; /* lines of numbers */
	uint64_t *mono_ns; /* of each line */
	uint64_t *raw; /* line by line, a counter each column */
};

/* Counter of a column as recorded in a line. */
static inline uint64_t scaph_trace_raw(const struct scaph_trace *trace, size_t line,
				       uint32_t column)
{
	return trace->raw[line * trace->columns + column];
}

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
 * The shortest time to a wrap, at the highest power that a counter keeps up for a second of the
 * trace; 0: none wraps.
 */
uint64_t scaph_trace_wrap_ns(const struct scaph_trace *trace);

#endif
