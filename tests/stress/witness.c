/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness.c - judging a cursor's events, and the final account
 */
#include "tests/stress/witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/seq.h"
#include "tests/stress/payload.h"
#include "tests/stress/stage.h"

#define OPEN_WITHIN_NS (10 * NS_PER_S)
#define COMPLAINTS_MAX 5U
#define TAKE_MAX 24

static void complain(struct witness *witness, const char *what, uint64_t index)
{
	if (witness->wrong++ < COMPLAINTS_MAX)
		printf("# WRONG: %s: epoch %016" PRIx64 " record %" PRIu64 ", expected %" PRIu64
		       "\n",
		       what, witness->epoch_id, index,
		       witness->present ? witness->present->position : 0);
}

void witness_open(struct witness *witness, struct ledger *ledger, enum scaph_mode mode)
{
	uint64_t deadline_ns = stage_now_ns() + OPEN_WITHIN_NS;
	int r;

	*witness = (struct witness){ .ledger = ledger };
	witness->accounts = calloc(LEDGER_EPOCHS_MAX, sizeof(*witness->accounts));
	do {
		r = scaph_cursor_open(stage_path(), mode, stage_now_ns(), &witness->cursor);
	} while (r < 0 && stage_now_ns() < deadline_ns);
	if (r < 0 || !witness->accounts) {
		fprintf(stderr, "stress: reader: %s\n", strerror(-r));
		exit(1);
	}
}

void witness_close(struct witness *witness)
{
	witness->cursor = scaph_cursor_free(witness->cursor);
	free(witness->accounts);
}

/* Which line of the ledger the cursor is attached to now. */
static void enter_epoch(struct witness *witness)
{
	const struct scaph_descriptor *desc = scaph_cursor_descriptor(witness->cursor);
	struct ledger_epoch *line = desc ? ledger_find(witness->ledger, desc->epoch_id) : NULL;
	bool first = !witness->present;

	if (!line) {
		complain(witness, "an epoch that no writer began", 0);
		return;
	}
	witness->epoch_id = desc->epoch_id;
	witness->present = &witness->accounts[line - witness->ledger->epoch];
	if (!witness->present->seen)
		witness->present->first = first ? UINT64_MAX : 0;
	witness->present->seen = true;
}

/* The first record after a disturbance: how long it took. */
static void note_recovery(struct witness *witness, uint64_t now_ns)
{
	uint64_t disturbed_ns =
		atomic_load_explicit(&witness->ledger->disturbed_ns, memory_order_relaxed);

	if (witness->delivered_ns > disturbed_ns || now_ns <= disturbed_ns || !disturbed_ns)
		return;
	witness->recoveries++;
	if (now_ns - disturbed_ns > witness->worst_recovery_ns)
		witness->worst_recovery_ns = now_ns - disturbed_ns;
}

static void judge_record(struct witness *witness, const struct scaph_slot *slot, uint64_t now_ns)
{
	uint64_t index = scaph_seq_index(slot->seq);
	struct account *account;

	if (!witness->present)
		enter_epoch(witness);
	account = witness->present;
	if (!account)
		return;
	if (account->first == UINT64_MAX) {
		account->first = index - account->lost;
		account->position = index;
	}
	if (scaph_seq_tag(slot->seq) != scaph_tag_of_epoch(witness->epoch_id))
		complain(witness, "a record of another epoch", index);
	else if (index != account->position)
		complain(witness, "a record out of order", index);
	else if (!payload_right(slot, witness->epoch_id, index))
		complain(witness, "a record with wrong content", index);
	account->position = index + 1;
	account->delivered++;
	witness->delivered++;
	if (witness->delivered_ns && now_ns - witness->delivered_ns > witness->worst_gap_ns)
		witness->worst_gap_ns = now_ns - witness->delivered_ns;
	note_recovery(witness, now_ns);
	witness->delivered_ns = now_ns;
	atomic_store_explicit(&witness->ledger->delivered_ns, now_ns, memory_order_relaxed);
}

static void judge_loss(struct witness *witness, uint64_t lost)
{
	struct account *account;
	struct scaph_slot slot;

	witness->losses++;
	witness->lost += lost;
	if (!witness->present)
		enter_epoch(witness);
	account = witness->present;
	if (!account)
		return;
	account->lost += lost;
	/* Lapped before its first record: where it came in is known with that. */
	if (account->first == UINT64_MAX)
		return;
	if (witness->check_losses &&
	    scaph_cursor_at(witness->cursor, SCAPH_BLOCK_FAST, account->position, &slot) ==
		    SCAPH_CURSOR_RECORD)
		complain(witness, "called lost, and there", account->position);
	account->position += lost;
}

/* As libscaph does: what is simply there, as figures. */
static uint32_t take(struct witness *witness, uint64_t now_ns)
{
	struct scaph_figures figures[TAKE_MAX];
	uint32_t room = 1 + (uint32_t)(witness->delivered % TAKE_MAX);
	uint32_t taken = scaph_cursor_take(witness->cursor, now_ns, figures, room);

	for (uint32_t i = 0; i < taken; i++) {
		const struct scaph_slot slot = {
			.seq = scaph_seq_complete(scaph_tag_of_epoch(figures[i].epoch_id),
						  figures[i].number),
			.mono_ns = figures[i].mono_ns,
			.package_uj = figures[i].package_uj,
			.core_uj = figures[i].core_uj,
			.dram_uj = figures[i].dram_uj,
			.idle_uj = figures[i].idle_uj,
			.cpu_ns = figures[i].cpu_ns,
			.breaks = (uint16_t)figures[i].breaks,
			.flags = (uint16_t)figures[i].flags,
		};

		judge_record(witness, &slot, now_ns);
	}
	return taken;
}

int witness_next(struct witness *witness, uint64_t now_ns)
{
	struct scaph_slot slot;
	uint64_t lost = 0;
	int r;

	/* Either way in turn: records come through both. */
	witness->taking = !witness->taking;
	if (witness->taking && take(witness, now_ns))
		return SCAPH_CURSOR_RECORD;
	r = scaph_cursor_next(witness->cursor, now_ns, &slot, &lost);
	switch (r) {
	case SCAPH_CURSOR_RECORD:
		judge_record(witness, &slot, now_ns);
		break;
	case SCAPH_CURSOR_LOST:
		judge_loss(witness, lost);
		break;
	case SCAPH_CURSOR_EPOCH:
		witness->epochs++;
		enter_epoch(witness);
		break;
	case SCAPH_CURSOR_STALE:
		witness->stale++;
		break;
	default:
		if (r < 0)
			complain(witness, strerror(-r), 0);
	}
	return r;
}

bool witness_drain(struct witness *witness, uint64_t deadline_ns)
{
	uint32_t count = atomic_load(&witness->ledger->count);
	const struct ledger_epoch *last = &witness->ledger->epoch[count - 1];
	const struct account *account = &witness->accounts[count - 1];
	uint64_t now_ns;

	do {
		now_ns = stage_now_ns();
		if (account->seen && atomic_load(&last->closed) &&
		    account->position == atomic_load(&last->published))
			return true;
		if (witness_next(witness, now_ns) != SCAPH_CURSOR_RECORD)
			stage_sleep(NS_PER_MS / 10);
	} while (now_ns < deadline_ns && !witness->wrong);
	return false;
}

bool witness_settle(struct witness *witness)
{
	uint64_t published = 0, before = 0, tail = 0, unseen = 0, epochs = 0, wrong = 0;
	struct scaph_cursor_counts counts = scaph_cursor_counts(witness->cursor);
	uint32_t count = atomic_load(&witness->ledger->count);

	for (uint32_t i = 0; i < count; i++) {
		const struct ledger_epoch *line = &witness->ledger->epoch[i];
		const struct account *account = &witness->accounts[i];
		uint64_t said = atomic_load(&line->published);

		if (!account->seen || account->first == UINT64_MAX) {
			published += said;
			unseen += said;
			continue;
		}
		/* A writer that was killed may have published one that it did not count. */
		if (!atomic_load(&line->closed) && account->position == said + 1)
			said++;
		epochs++;
		if (account->position > said ||
		    account->first + account->delivered + account->lost != account->position) {
			printf("# WRONG: line %u: published %" PRIu64 ", first %" PRIu64
			       ", delivered %" PRIu64 ", lost %" PRIu64 ", position %" PRIu64 "\n",
			       i, said, account->first, account->delivered, account->lost,
			       account->position);
			wrong++;
			continue;
		}
		published += said;
		before += account->first;
		tail += said - account->position;
	}
	if (counts.delivered != witness->delivered || counts.lost != witness->lost)
		wrong++;
	printf("# epochs begun %u, read from %" PRIu64 "; published %" PRIu64
	       " = delivered %" PRIu64 " + lost %" PRIu64 " (%" PRIu64
	       " events) + unknown tail %" PRIu64 " + before attach %" PRIu64
	       " + epochs never met %" PRIu64 "\n",
	       count, epochs, published, witness->delivered, witness->lost, witness->losses, tail,
	       before, unseen);
	if (published != witness->delivered + witness->lost + tail + before + unseen)
		wrong++;
	printf("# wrong accepted %" PRIu64 ", accounts wrong %" PRIu64 "\n", witness->wrong, wrong);
	return wrong == 0;
}
