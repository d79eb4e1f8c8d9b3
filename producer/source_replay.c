/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_replay.c - a recorded trace, played in real time from its first line
 *
 * Between two lines a counter stands still, as it did for whoever recorded it. After the last line the source is lost: what
 * the machine would have used then is not known.
 */
#include <errno.h>
#include <stdlib.h>

#include "producer/log.h"
#include "producer/trace.h"

struct replay {
	struct scaph_source source;
	struct scaph_trace trace;
	size_t at; /* the line that is in force */
	uint64_t start_ns; /* when the first line was in force; 0: not yet begun */
	uint64_t zone_uj[SCAPH_ZONES];
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
		.idle_known = replay->trace.idle_known,
		.idle_uw = replay->trace.idle_uw,
	};
	*ret_source = &replay->source;
	return 0;
}

/* From one raw value to the next: modular where the counter wraps; without a range a step back counts as a restart from 0. */
static uint64_t step(uint64_t from, uint64_t to, uint64_t range)
{
	if (to >= from)
		return to - from;
	return range && from <= range ? range - from + to + 1 : to;
}

static void replay_sample(struct scaph_source *source, uint64_t now_ns, struct scaph_energy *energy)
{
	struct replay *replay = (struct replay *)source;
	const struct scaph_trace *trace = &replay->trace;
	uint64_t played_ns;

	if (!replay->start_ns)
		replay->start_ns = now_ns;
	played_ns = now_ns - replay->start_ns + trace->line[0].mono_ns;
	while (replay->at + 1 < trace->count && trace->line[replay->at + 1].mono_ns <= played_ns) {
		const struct scaph_trace_line *from = &trace->line[replay->at], *to = from + 1;

		for (int zone = 0; zone < SCAPH_ZONES; zone++)
			replay->zone_uj[zone] +=
				step(from->raw[zone], to->raw[zone], trace->range_uj[zone]);
		replay->at++;
	}
	for (int zone = 0; zone < SCAPH_ZONES; zone++)
		energy->zone_uj[zone] = replay->zone_uj[zone];
	/* The last line is in force at its own time; nothing is known beyond. */
	energy->lost = replay->at + 1 == trace->count &&
		       played_ns > trace->line[replay->at].mono_ns;
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
	.usage = "replay:FILE",
	.open = replay_open,
	.sample = replay_sample,
	.close = replay_close,
};
