/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle.h - the idle power of the packages, learnt while hardly anything runs
 *
 * A span of at least 10 s in which the CPUs were at most 5 % busy tells the machine's idle power; of
 * all such spans the lowest counts. Not used where the operator or the source says it.
 */
#ifndef SCAPH_PRODUCER_IDLE_H
#define SCAPH_PRODUCER_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#define SCAPH_IDLE_SPAN_NS UINT64_C(10000000000)
#define SCAPH_IDLE_BUSY_PERCENT 5U

/* What has come together of the present span. */
struct scaph_idle {
	uint32_t cpus;
	uint64_t span_ns, busy_ns;
	unsigned __int128 units; /* package energy */
};

/* A window is in no span if its energy is not known. */
void scaph_idle_interrupt(struct scaph_idle *idle);

/**
 * scaph_idle_note() - a window has closed
 * @ret_idle_uw: power of all packages over a span that just ended and was idle
 *
 * Return:   whether there is such a power.
 */
bool scaph_idle_note(struct scaph_idle *idle, uint64_t dt_ns, uint64_t busy_ns,
		     unsigned __int128 package_units, uint64_t *ret_idle_uw);

#endif
