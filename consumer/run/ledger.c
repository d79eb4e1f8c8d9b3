/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.c - records held until the time they cover is known, then summed
 */
#include "consumer/run/ledger.h"

#include "consumer/span.h"

#define NS_PER_S 1000000000ULL
#define DELAY_SPAN_NS (10 * NS_PER_S) /* two clocks that drift by 100 ppm part by 1 ms in it */
#define HOLD_NS NS_PER_S /* longer than any news of begin or end takes */
#define JITTER_NS 1000000ULL

static const struct scaph_record *held_at(const struct scaph_ledger *ledger, uint32_t at)
{
	return &ledger->held[(ledger->first + at) % SCAPH_LEDGER_HELD];
}

/* When a record's window ended, on our clock. */
static uint64_t end_of(const struct scaph_ledger *ledger, const struct scaph_record *record)
{
	int64_t delay_ns = ledger->delay_ns[0] < ledger->delay_ns[1] ? ledger->delay_ns[0]
								     : ledger->delay_ns[1];

	return record->mono_ns + (uint64_t)delay_ns;
}

static void note_delay(struct scaph_ledger *ledger, const struct scaph_record *record,
		       uint64_t seen_ns)
{
	int64_t delay_ns = (int64_t)(seen_ns - record->mono_ns);

	if (!ledger->has_delay) {
		ledger->delay_ns[0] = ledger->delay_ns[1] = delay_ns;
		ledger->delay_since_ns = seen_ns;
		ledger->has_delay = true;
	}
	if (seen_ns - ledger->delay_since_ns >= DELAY_SPAN_NS) {
		ledger->delay_ns[1] = ledger->delay_ns[0];
		ledger->delay_ns[0] = delay_ns;
		ledger->delay_since_ns = seen_ns;
	}
	if (delay_ns < ledger->delay_ns[0])
		ledger->delay_ns[0] = delay_ns;
}

static const struct scaph_record *trail_at(const struct scaph_ledger *ledger, uint32_t at)
{
	return &ledger->trail[(ledger->trail_first + at) % 256];
}

/* The highest mean over the shortest spans of at least 50 ms that lie wholly in the command's time. */
static void look_for_peak(struct scaph_ledger *ledger, const struct scaph_record *record)
{
	uint64_t least_ns = scaph_span_least_ns(ledger->window_ns);
	struct scaph_span span;

	if (least_ns < SCAPH_LEDGER_PEAK_NS - JITTER_NS)
		least_ns = SCAPH_LEDGER_PEAK_NS - JITTER_NS;
	while (ledger->trail_count > 1 &&
	       record->mono_ns - trail_at(ledger, 1)->mono_ns >= least_ns) {
		ledger->trail_first = (ledger->trail_first + 1) % 256;
		ledger->trail_count--;
	}
	if (ledger->trail_count && scaph_between(trail_at(ledger, 0), record, &span) == SCAPH_OK &&
	    span.duration_ns >= least_ns && span.flags & SCAPH_HAS_PACKAGE) {
		if (!ledger->account.has_peak || span.power_uw > ledger->account.peak_uw)
			ledger->account.peak_uw = span.power_uw;
		ledger->account.has_peak = true;
	}
	if (ledger->trail_count == 256) {
		ledger->trail_first = (ledger->trail_first + 1) % 256;
		ledger->trail_count--;
	}
	ledger->trail[(ledger->trail_first + ledger->trail_count++) % 256] = *record;
}

/* A window, or the part of it that lies in the command's time. */
static void add(struct scaph_ledger *ledger, const struct scaph_span *span, uint64_t part_ns)
{
	struct scaph_account *account = &ledger->account;
	double part = (double)part_ns / (double)span->duration_ns;
	uint32_t known = span->flags & SCAPH_HAS_ALL;

	account->flags = (account->covered_ns ? account->flags & known : known) |
			 ((account->flags | span->flags) & ~SCAPH_HAS_ALL);
	account->covered_ns += part_ns;
	account->package_uj += part * (double)span->package_uj;
	account->core_uj += part * (double)span->core_uj;
	account->dram_uj += part * (double)span->dram_uj;
	account->idle_uj += part * (double)span->idle_uj;
	account->cpu_ns += part * (double)span->cpu_ns;
	/* All of what is left out may have been in it, and all of what is taken may not. */
	if (part < 1)
		account->bound_uj += (part > 0.5 ? part : 1 - part) * (double)span->package_uj;
}

static void account_for(struct scaph_ledger *ledger, const struct scaph_record *from,
			const struct scaph_record *to)
{
	uint64_t from_ns = end_of(ledger, from), to_ns = end_of(ledger, to);
	struct scaph_span span;

	if (to_ns >= ledger->begin_ns && (!ledger->ended || to_ns <= ledger->end_ns)) {
		ledger->account.records++;
		look_for_peak(ledger, to);
	}
	if (scaph_between(from, to, &span) != SCAPH_OK || !(span.flags & SCAPH_HAS_PACKAGE)) {
		ledger->account.gaps += to_ns > ledger->begin_ns;
		ledger->trail_count = 0;
		return;
	}
	if (from_ns < ledger->begin_ns)
		from_ns = ledger->begin_ns;
	if (ledger->ended && to_ns > ledger->end_ns)
		to_ns = ledger->end_ns;
	if (to_ns > from_ns)
		add(ledger, &span, to_ns - from_ns);
}

/* Account for what ended before a time; the last of it stays as the one before. */
static void settle(struct scaph_ledger *ledger, uint64_t until_ns)
{
	while (ledger->count > 1 && end_of(ledger, held_at(ledger, 1)) <= until_ns) {
		if (ledger->begun)
			account_for(ledger, held_at(ledger, 0), held_at(ledger, 1));
		ledger->first = (ledger->first + 1) % SCAPH_LEDGER_HELD;
		ledger->count--;
	}
}

void scaph_ledger_record(struct scaph_ledger *ledger, const struct scaph_record *record,
			 uint64_t seen_ns)
{
	/* Of a window that is still open: the next one covers it too. */
	if (!(record->flags & SCAPH_HAS_ALL))
		return;
	if (ledger->count && held_at(ledger, 0)->epoch_id != record->epoch_id) {
		/* Another clock: what was before is placed by its own. */
		settle(ledger, UINT64_MAX);
		if (ledger->begun)
			ledger->account.gaps++;
		ledger->count = ledger->trail_count = 0;
		ledger->has_delay = false;
	}
	note_delay(ledger, record, seen_ns);
	settle(ledger, seen_ns > HOLD_NS ? seen_ns - HOLD_NS : 0);
	if (ledger->count == SCAPH_LEDGER_HELD)
		settle(ledger, end_of(ledger, held_at(ledger, 1)));
	ledger->held[(ledger->first + ledger->count++) % SCAPH_LEDGER_HELD] = *record;
}

void scaph_ledger_begin(struct scaph_ledger *ledger, uint64_t at_ns)
{
	ledger->begun = true;
	ledger->begin_ns = at_ns;
}

void scaph_ledger_end(struct scaph_ledger *ledger, uint64_t at_ns)
{
	ledger->ended = true;
	ledger->end_ns = at_ns;
}

bool scaph_ledger_is_past(const struct scaph_ledger *ledger)
{
	return ledger->count &&
	       end_of(ledger, held_at(ledger, ledger->count - 1)) >= ledger->end_ns;
}

const struct scaph_account *scaph_ledger_close(struct scaph_ledger *ledger)
{
	/* Of what follows the end, the one that covers it. */
	while (ledger->count > 1 && end_of(ledger, held_at(ledger, 0)) < ledger->end_ns)
		settle(ledger, end_of(ledger, held_at(ledger, 1)));
	return &ledger->account;
}
