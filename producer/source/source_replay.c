/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_replay.c - a recorded trace, played in real time from its first line
 *
 * Between two lines a counter stands still, as it did for whoever recorded it. After the last line
 * the source has ended: what the machine would have used then is not known.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/process/clock.h"
#include "producer/source/trace.h"

struct replay {
	struct scaph_source source;
	struct scaph_trace trace;
	size_t at[SCAPH_PACKAGES_MAX]; /* the line that is in force, by package */
	bool begun;
	uint64_t start_ns; /* when the first line was in force */
};

/* Zones that every package has; psys is the machine's. */
static uint32_t common_zones(const struct scaph_trace *trace)
{
	uint32_t zones = UINT32_MAX;

	for (uint32_t i = 0; i < trace->packages; i++)
		zones &= trace->package[i].zones | SCAPH_ZONE_PSYS;
	return zones & (trace->package[0].zones | ~(uint32_t)SCAPH_ZONE_PSYS);
}

static int replay_open(const struct scaph_config *config, const struct scaph_topology *topology,
		       const char *argument, struct scaph_source **ret_source,
		       char ret_why[SCAPH_SOURCE_WHY_BYTES])
{
	struct replay *replay;
	int r;

	if (!argument || !*argument) {
		snprintf(ret_why, SCAPH_SOURCE_WHY_BYTES, "it needs a file: replay:FILE");
		return -EINVAL;
	}
	replay = calloc(1, sizeof(*replay));
	if (!replay)
		return -ENOMEM;
	r = scaph_trace_read(argument, &replay->trace);
	if (r) {
		free(replay);
		return r;
	}
	replay->source = (struct scaph_source){
		.ops = &scaph_source_replay,
		.zones = common_zones(&replay->trace),
		.estimated = replay->trace.estimated,
		.idle_known = replay->trace.idle_known,
		.idle_uw = replay->trace.idle_uw,
		.packages = replay->trace.packages,
		.wrap_ns = scaph_trace_wrap_ns(&replay->trace),
	};
	memcpy(replay->source.package, replay->trace.package, sizeof(replay->source.package));
	snprintf(replay->source.about, sizeof(replay->source.about), "%zu readings over %.3f s",
		 replay->trace.count,
		 (double)scaph_trace_span_ns(&replay->trace) / (double)SCAPH_NS_PER_S);
	*ret_source = &replay->source;
	return 0;
}

static int replay_read(struct scaph_source *source, uint32_t package, uint64_t now_ns,
		       uint64_t raw[SCAPH_ZONES])
{
	struct replay *replay = (struct replay *)source;
	const struct scaph_trace *trace = &replay->trace;
	size_t *at = &replay->at[package];
	uint64_t played_ns;

	/* The first reading of all is one before any thread runs. */
	if (!replay->begun) {
		replay->begun = true;
		replay->start_ns = now_ns;
	}
	played_ns = now_ns - replay->start_ns;
	while (*at + 1 < trace->count && trace->mono_ns[*at + 1] - trace->mono_ns[0] <= played_ns)
		++*at;
	for (uint32_t i = 0; i < trace->columns; i++) {
		if (trace->column[i].package == package)
			raw[trace->column[i].zone] = scaph_trace_raw(trace, *at, i);
	}
	/* The last line is in force at its own time; nothing is known beyond. */
	return played_ns > scaph_trace_span_ns(trace) ? SCAPH_SOURCE_ENDED : 0;
}

static void replay_close(struct scaph_source *source)
{
	struct replay *replay = (struct replay *)source;

	scaph_trace_clear(&replay->trace);
	free(replay);
}

const struct scaph_source_ops scaph_source_replay = {
	.name = "replay",
	.id = SCAPH_SOURCE_REPLAY,
	.usage = "--source replay:FILE (a recorded trace)",
	.open = replay_open,
	.read = replay_read,
	.close = replay_close,
};
