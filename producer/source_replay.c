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

#include "producer/clock.h"
#include "producer/log.h"
#include "producer/trace.h"

#define SAMPLE_HZ 1000 /* as real counters step */

struct replay {
	struct scaph_source source;
	struct scaph_trace trace;
	size_t at; /* the line that is in force */
	bool begun;
	uint64_t start_ns; /* when the first line was in force */
};

static int replay_open(const struct scaph_config *config, const char *argument,
		       struct scaph_source **ret_source)
{
	struct replay *replay;
	int r;

	if (!argument || !*argument) {
		scaph_error("--source replay needs a file: replay:FILE");
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
		.zones = replay->trace.zones,
		.estimated = replay->trace.estimated,
		.idle_known = replay->trace.idle_known,
		.idle_uw = replay->trace.idle_uw,
		.wrap_ns = scaph_trace_wrap_ns(&replay->trace),
		.sample_hz = SAMPLE_HZ,
	};
	memcpy(replay->source.range_uj, replay->trace.range_uj, sizeof(replay->source.range_uj));
	snprintf(replay->source.about, sizeof(replay->source.about), "%zu readings over %.3f s",
		 replay->trace.count,
		 (double)scaph_trace_span_ns(&replay->trace) / (double)SCAPH_NS_PER_S);
	*ret_source = &replay->source;
	return 0;
}

static int replay_read(struct scaph_source *source, uint64_t now_ns, uint64_t raw_uj[SCAPH_ZONES])
{
	struct replay *replay = (struct replay *)source;
	const struct scaph_trace *trace = &replay->trace;
	uint64_t played_ns;

	if (!replay->begun) {
		replay->begun = true;
		replay->start_ns = now_ns;
	}
	played_ns = now_ns - replay->start_ns;
	while (replay->at + 1 < trace->count &&
	       trace->line[replay->at + 1].mono_ns - trace->line[0].mono_ns <= played_ns)
		replay->at++;
	memcpy(raw_uj, trace->line[replay->at].raw_uj, sizeof(trace->line[0].raw_uj));
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
