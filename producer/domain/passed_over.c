/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passed_over.c - two lists by PID, gone through together
 */
#include "producer/domain/passed_over.h"

#include <stdlib.h>

#define LOOKS_FIRST 4U /* in a row, before that */
#define LOOKS_A_TURN 16U /* of which one asks */

void scaph_passed_over_begin(struct scaph_passed_over *passed)
{
	struct scaph_passed_over_list spare = passed->before;

	passed->before = passed->now;
	passed->now = spare;
	passed->now.count = 0;
	passed->next = 0;
}

static void add(struct scaph_passed_over_list *list, pid_t pid, uint32_t looks)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		struct scaph_passed_over_one *grown = reallocarray(list->at, room, sizeof(*grown));

		if (!grown)
			return;
		list->at = grown;
		list->room = room;
	}
	list->at[list->count++] = (struct scaph_passed_over_one){ pid, looks };
}

/* How often it was none, or 0. */
static uint32_t looks_of(const struct scaph_passed_over *passed, pid_t pid)
{
	const struct scaph_passed_over_list *before = &passed->before;

	return passed->next < before->count && before->at[passed->next].pid == pid
		       ? before->at[passed->next].looks
		       : 0;
}

bool scaph_passed_over_skip(struct scaph_passed_over *passed, pid_t pid)
{
	const struct scaph_passed_over_list *before = &passed->before;
	uint32_t looks;

	while (passed->next < before->count && before->at[passed->next].pid < pid)
		passed->next++;
	looks = looks_of(passed, pid);
	if (looks < LOOKS_FIRST || (looks + (uint32_t)pid) % LOOKS_A_TURN == 0)
		return false;
	add(&passed->now, pid, looks + 1);
	return true;
}

void scaph_passed_over_note(struct scaph_passed_over *passed, pid_t pid)
{
	add(&passed->now, pid, looks_of(passed, pid) + 1);
}

void scaph_passed_over_deinit(struct scaph_passed_over *passed)
{
	free(passed->before.at);
	free(passed->now.at);
	*passed = (struct scaph_passed_over){};
}
