/* SPDX-License-Identifier: Apache-2.0 */
/*
 * playtime.h - the time by which a view goes: this machine's, or that of a recording that is played
 *
 * A recording's time goes at the speed asked for, or as fast as its reader does: then it moves only by being slept away.
 */
#ifndef SCAPH_COMMAND_PLAYTIME_H
#define SCAPH_COMMAND_PLAYTIME_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define SCAPH_SPEED_MAX 0.0 /* as fast as possible */

struct scaph_playtime {
	bool played; /* else all zero: this machine's */
	double speed; /* recorded seconds a second, or SCAPH_SPEED_MAX */
	uint64_t start_ns; /* of playing, on CLOCK_MONOTONIC */
	uint64_t slept_ns; /* of the recording's time, as fast as possible */
	uint64_t wall_ns; /* CLOCK_REALTIME at the recording's start */
};

/* A clock that begins now at 0. */
struct scaph_playtime scaph_playtime_play(double speed, uint64_t wall_ns);

uint64_t scaph_playtime_now_ns(const struct scaph_playtime *clock);
void scaph_playtime_sleep_ns(struct scaph_playtime *clock, uint64_t ns);

/* Wall clock, in seconds. */
time_t scaph_playtime_wall(const struct scaph_playtime *clock);

#endif
