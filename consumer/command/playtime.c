/* SPDX-License-Identifier: Apache-2.0 */
/*
 * playtime.c - now and sleep, live or played
 */
#include "consumer/command/playtime.h"

#define NS_PER_S 1000000000ULL
#define SLEEP_NS_MAX NS_PER_S /* at once: whoever waits for a word from us hears one */

static uint64_t machine_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

struct scaph_playtime scaph_playtime_play(double speed, uint64_t wall_ns)
{
	return (struct scaph_playtime){
		.played = true,
		.speed = speed,
		.start_ns = machine_ns(),
		.wall_ns = wall_ns,
	};
}

uint64_t scaph_playtime_now_ns(const struct scaph_playtime *clock)
{
	if (!clock->played)
		return machine_ns();
	if (clock->speed == SCAPH_SPEED_MAX)
		return clock->slept_ns;
	return (uint64_t)((double)(machine_ns() - clock->start_ns) * clock->speed);
}

void scaph_playtime_sleep_ns(struct scaph_playtime *clock, uint64_t ns)
{
	struct timespec ts;

	if (clock->played && clock->speed == SCAPH_SPEED_MAX) {
		clock->slept_ns += ns;
		return;
	}
	if (clock->played)
		ns = (uint64_t)((double)ns / clock->speed) + 1;
	if (ns > SLEEP_NS_MAX)
		ns = SLEEP_NS_MAX;
	ts = (struct timespec){ .tv_sec = (time_t)(ns / NS_PER_S),
				.tv_nsec = (long)(ns % NS_PER_S) };
	nanosleep(&ts, NULL);
}

time_t scaph_playtime_wall(const struct scaph_playtime *clock)
{
	if (!clock->played)
		return time(NULL);
	return (time_t)((clock->wall_ns + scaph_playtime_now_ns(clock)) / NS_PER_S);
}
