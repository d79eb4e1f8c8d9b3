/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge.h - windows that end just after a step of the counter
 *
 * What is read there is of this moment, and not up to a millisecond old. Where the steps are is
 * learnt once and then followed: someone wakes before a step is due and looks until it has come.
 * Short windows do without that most times, and come when the step has come for sure: they cost a look
 * each SCAPH_EDGE_LOOK_NS; so do longer ones, if they are asked to spare.
 *
 * Looking keeps a CPU busy, so it is bounded: a look by SCAPH_EDGE_LOOK_MAX_NS, and all of them by one
 * part in SCAPH_EDGE_PARTS of the time, for a look that there is no time left for is left out. To that
 * comes learning, 32 ms at most in 2 s, and seldom.
 *
 * One package is followed: the first. Others' counters are read at its steps and are old by what they
 * are. A counter that moves all the time, or hardly ever, has no steps to wait for. Publisher thread.
 */
#ifndef SCAPH_PRODUCER_EDGE_H
#define SCAPH_PRODUCER_EDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/source/sampler.h"
#include "producer/source/stepping.h"

#define SCAPH_EDGE_LOOK_NS UINT64_C(40000000)
#define SCAPH_EDGE_LOOK_MAX_NS UINT64_C(1000000)
#define SCAPH_EDGE_PARTS 16U

struct scaph_edge {
	struct scaph_sampler *sampler;
	struct scaph_stepping stepping;
	uint64_t late_ns; /* that a first look comes, on average */
	uint64_t step_ns, wake_ns, end_ns; /* of the window that is next; step_ns 0: none is met */
	bool always; /* windows are long enough for a look each */
	bool sure; /* the step will have come by end_ns, looked for or not */
	uint32_t thrift; /* looks are rarer by four to the power of this; 0: as many as help */
	uint64_t look_every_ns, look_ns; /* when the next look is due */
	uint64_t learn_ns; /* not to be tried again before */
	uint32_t missed; /* looks in a row that saw no step */
	uint64_t left_ns, left_at_ns; /* CPU time that there is for looking, as of when */
	uint64_t looks, look_spent_ns; /* so far, and their CPU time, learning included */
};

/* @sampler: of the package that is followed; outlives it. */
void scaph_edge_init(struct scaph_edge *edge, struct scaph_sampler *sampler);

/* Watch the counter for some of its steps, 80 ms at most, unless that was done a moment ago. */
void scaph_edge_learn(struct scaph_edge *edge, uint64_t now_ns);

/* Nobody follows the steps any more: they are learnt anew when someone does again. */
void scaph_edge_forget(struct scaph_edge *edge);

/**
 * scaph_edge_plan() - when to wake for a window that is due
 * @due_ns:   of the window
 * @after_ns: the end of the one before
 *
 * Return:   a time around the step that is nearest to due_ns; due_ns where steps are not known.
 */
uint64_t scaph_edge_plan(struct scaph_edge *edge, uint64_t due_ns, uint64_t after_ns);

/**
 * scaph_edge_meet() - what is left to do after scaph_edge_plan() was slept to, until the window ends
 *
 * Return:   whether it ends shortly after a step.
 */
bool scaph_edge_meet(struct scaph_edge *edge);

#endif
