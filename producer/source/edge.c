/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge.c - looks at the package zone of the counter that is followed
 */
#include "producer/source/edge.h"

#include "producer/process/clock.h"

#define LEARN_NS (30 * SCAPH_NS_PER_MS)
#define LEARN_AGAIN_NS (2 * SCAPH_NS_PER_S)
#define LEARN_IN_VAIN_NS (10 * SCAPH_NS_PER_S)
#define SPREAD_MAX_NS (SCAPH_EDGE_LOOK_MAX_NS / 3)
#define EARLY_MAX_NS (SCAPH_EDGE_LOOK_MAX_NS - SPREAD_MAX_NS)
#define MARGIN_NS 10000U /* beyond what jitter asks for */
#define LATE_START_NS 100000U
#define LATE_MAX_NS 500000U
#define LATE_PART 8
#define MISSED_MAX 20U

/* A look at the end of each window of 3 ms costs little of it; half a period may be missing there. */
#define ALWAYS_NS (5 * SCAPH_NS_PER_MS / 2)

/* Periods over which the second and third measurement of the period go: each bears the next. */
static const uint64_t learn_ahead[] = { 8, 32 };

void scaph_edge_init(struct scaph_edge *edge, struct scaph_sampler *sampler)
{
	*edge = (struct scaph_edge){ .sampler = sampler,
				     .late_ns = LATE_START_NS,
				     .left_ns = SCAPH_EDGE_LOOK_MAX_NS };
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Look until the package zone is no more what it was at first, or end_ns. *ret_at_ns: between the last
 * look that had not seen it move and the one that has.
 */
static bool watch(struct scaph_edge *edge, uint64_t first, uint64_t end_ns, uint64_t *ret_at_ns)
{
	uint64_t raw, before_ns, now_ns = scaph_clock_ns(CLOCK_MONOTONIC);

	do {
		before_ns = now_ns;
		if (!scaph_sampler_peek(edge->sampler, &raw))
			return false;
		now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	} while (raw == first && now_ns < end_ns);
	*ret_at_ns = before_ns + (now_ns - before_ns) / 2;
	return raw != first;
}

/* A part of the time may be spent looking; what is not comes to no more than one look can take. */
static void earn(struct scaph_edge *edge, uint64_t now_ns)
{
	if (now_ns > edge->left_at_ns)
		edge->left_ns += (now_ns - edge->left_at_ns) / SCAPH_EDGE_PARTS;
	edge->left_ns = least(edge->left_ns, SCAPH_EDGE_LOOK_MAX_NS);
	edge->left_at_ns = now_ns;
}

/* @cpu_ns: this thread's CPU time when it began to look. */
static void spend(struct scaph_edge *edge, uint64_t cpu_ns)
{
	uint64_t spent_ns = scaph_clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;

	edge->looks++;
	edge->look_spent_ns += spent_ns;
	edge->left_ns -= least(spent_ns, edge->left_ns);
}

static void plan(struct scaph_edge *edge, uint64_t step_ns, bool look)
{
	/* How far from its reckoned time it may come: less than a period can be told from others. */
	uint64_t doubt_ns = scaph_stepping_doubt_ns(&edge->stepping, step_ns) + MARGIN_NS;
	uint64_t most_ns = least(edge->stepping.period_ns / 4, SPREAD_MAX_NS);
	uint64_t spread_ns = least(doubt_ns, most_ns);
	uint64_t early_ns = least(least(spread_ns + edge->late_ns * 3 / 2, EARLY_MAX_NS),
				  edge->stepping.period_ns / 2);

	edge->sure = doubt_ns <= most_ns;
	edge->step_ns = step_ns;
	edge->end_ns = step_ns + spread_ns;
	edge->wake_ns = edge->end_ns;
	if (look && early_ns + spread_ns <= edge->left_ns)
		edge->wake_ns = step_ns - early_ns;
}

static void note_lateness(struct scaph_edge *edge, uint64_t late_ns)
{
	late_ns = least(late_ns, LATE_MAX_NS);
	edge->late_ns = edge->late_ns - edge->late_ns / LATE_PART + late_ns / LATE_PART;
}

/* Steps that are not where they are reckoned any more are learnt anew, if that is some time ago. */
static void note_missed(struct scaph_edge *edge)
{
	scaph_stepping_doubt(&edge->stepping);
	if (++edge->missed < MISSED_MAX)
		return;
	edge->stepping.period_ns = 0;
}

/* false: it is too late for that, or the counter cannot be read: nothing is known of this step. */
static bool look(struct scaph_edge *edge)
{
	uint64_t begin_ns = scaph_clock_ns(CLOCK_MONOTONIC), at_ns, raw;
	uint64_t cpu_ns = scaph_clock_ns(CLOCK_THREAD_CPUTIME_ID);

	if (begin_ns > edge->end_ns || !scaph_sampler_peek(edge->sampler, &raw))
		return false;
	note_lateness(edge, scaph_clock_ns(CLOCK_MONOTONIC) - edge->wake_ns);
	/* It may have come before that first look: then there is nothing more to be seen. */
	if (watch(edge, raw, edge->end_ns, &at_ns)) {
		edge->missed = 0;
		scaph_stepping_saw(&edge->stepping, at_ns);
	} else {
		note_missed(edge);
	}
	spend(edge, cpu_ns);
	return true;
}

/* Steps that follow one another; false: they did not come, or have no period. */
static bool learn_period(struct scaph_edge *edge, uint64_t now_ns)
{
	uint64_t at_ns[SCAPH_STEPPING_STEPS], end_ns = now_ns + LEARN_NS, raw;
	uint64_t cpu_ns = scaph_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	uint32_t seen = 0;

	while (seen < SCAPH_STEPPING_STEPS && scaph_sampler_peek(edge->sampler, &raw) &&
	       watch(edge, raw, end_ns, &at_ns[seen]))
		seen++;
	spend(edge, cpu_ns);
	return seen == SCAPH_STEPPING_STEPS && scaph_stepping_learn(&edge->stepping, at_ns);
}

void scaph_edge_learn(struct scaph_edge *edge, uint64_t now_ns)
{
	if (!edge->sampler->source->ops->peek || edge->stepping.period_ns ||
	    now_ns < edge->learn_ns)
		return;
	edge->learn_ns = now_ns + LEARN_IN_VAIN_NS;
	edge->missed = 0;
	if (!learn_period(edge, now_ns))
		return;
	edge->learn_ns = now_ns + LEARN_AGAIN_NS;
	for (size_t i = 0; i < sizeof(learn_ahead) / sizeof(learn_ahead[0]); i++) {
		/* Whatever was spent a moment ago. */
		edge->left_ns = SCAPH_EDGE_LOOK_MAX_NS;
		plan(edge, edge->stepping.step_ns + learn_ahead[i] * edge->stepping.period_ns,
		     true);
		scaph_clock_sleep_until(edge->wake_ns);
		look(edge);
	}
}

void scaph_edge_forget(struct scaph_edge *edge)
{
	edge->stepping.period_ns = 0;
	edge->step_ns = 0;
}

/* From one look to the next where not every window has one. */
static uint64_t look_every_ns(const struct scaph_edge *edge, uint64_t window_ns)
{
	if (!edge->thrift || window_ns < SCAPH_EDGE_LOOK_NS)
		window_ns = SCAPH_EDGE_LOOK_NS;
	return window_ns << 2 * edge->thrift;
}

uint64_t scaph_edge_plan(struct scaph_edge *edge, uint64_t due_ns, uint64_t after_ns)
{
	uint64_t window_ns = due_ns - after_ns, step_ns;

	edge->step_ns = 0;
	if (!edge->stepping.period_ns)
		return due_ns;
	step_ns = scaph_stepping_nearest_ns(&edge->stepping, due_ns);
	if (step_ns < after_ns + edge->stepping.period_ns / 2)
		step_ns += edge->stepping.period_ns;
	/* What is looked for each time is met as exactly as can be; else each time equally late. */
	edge->always = !edge->thrift && window_ns >= ALWAYS_NS;
	edge->look_every_ns = look_every_ns(edge, window_ns);
	earn(edge, scaph_clock_ns(CLOCK_MONOTONIC));
	plan(edge, step_ns, edge->always || step_ns >= edge->look_ns);
	return edge->wake_ns;
}

bool scaph_edge_meet(struct scaph_edge *edge)
{
	bool looked = edge->wake_ns < edge->step_ns;
	uint64_t now_ns;

	if (!edge->step_ns)
		return false;
	if (looked) {
		edge->look_ns = edge->step_ns + edge->look_every_ns;
		looked = look(edge);
		/* As late after the step as in all other windows. */
		if (!edge->always && scaph_clock_ns(CLOCK_MONOTONIC) < edge->end_ns)
			scaph_clock_sleep_until(edge->end_ns);
	}
	now_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	return !edge->missed && (looked || edge->sure) && now_ns < edge->end_ns + LATE_MAX_NS;
}
