/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.c - measure, divide, store, publish
 *
 * A window's energy is divided only if it is known to be of this window: not if a package was away
 * in it, a counter began anew, the machine slept, or so long a time passed that a counter can have
 * wrapped unseen. Then it counts as a break and what was measured is unattributed. Host totals
 * contain it: host = domains + residual + unattributed, exactly.
 */
#include "producer/publish/window.h"

#include <errno.h>
#include <string.h>

#include "producer/process/clock.h"
#include "producer/publish/division.h"
#include "producer/publish/dram.h"
#include "producer/publish/instant.h"
#include "producer/publish/sampling.h"

/* The two clocks are not read at one instant: less than this between them is no sleep. */
#define SUSPEND_MIN_NS (100 * SCAPH_NS_PER_MS)
#define SUSPEND_TRIES 4

/* Some ten steps of RAPL's: of less, one more or less is over a tenth. */
#define STEPS_NS (10 * SCAPH_NS_PER_MS)

void scaph_window_set_idle(struct scaph_publisher *pub, uint64_t idle_uw)
{
	for (uint32_t p = 0; p < pub->packages; p++) {
		pub->splitter[p].idle_known = true;
		pub->splitter[p].idle_uw = idle_uw;
		pub->splitter[p].packages = pub->packages;
	}
	pub->pricing.idle_uw = idle_uw;
}

void scaph_window_look(struct scaph_publisher *pub, uint64_t now_ns)
{
	uint64_t version = scaph_table_version(pub->table);
	struct scaph_entry *entry;

	if (version == pub->version)
		return;
	pub->version = version;
	pub->trusted = false;
	entry = scaph_table_first(pub->table);
	for (pub->count = 0; entry && pub->count < SCAPH_LEDGER_DOMAINS_MAX;
	     entry = scaph_table_next(pub->table, entry)) {
		/* It came after the tick had looked at the clock: there is no time in its epoch yet. */
		if (entry->publication.origin_ns > now_ns) {
			pub->version = 0;
			continue;
		}
		pub->live[pub->count] = entry;
		pub->readings[pub->count] = &entry->reading;
		pub->trusted |= entry->domain.profile == SCAPH_PROFILE_TRUSTED;
		pub->count++;
	}
	pub->readings[pub->count] = &pub->own;
	scaph_sampling_apply(pub);
}

/* Whoever is held up between the two clocks reads them again, or that would pass for sleep. */
static uint64_t suspended_ns(void)
{
	uint64_t mono_ns, boot_ns, after_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	int tries = SUSPEND_TRIES;

	do {
		mono_ns = after_ns;
		boot_ns = scaph_clock_ns(CLOCK_BOOTTIME);
		after_ns = scaph_clock_ns(CLOCK_MONOTONIC);
	} while (after_ns - mono_ns > SUSPEND_MIN_NS / 2 && --tries);
	return boot_ns - mono_ns;
}

/* Epochs of all publications begin together, so that the columns go on adding up. */
static int begin_epoch(struct scaph_publisher *pub)
{
	int r = scaph_publication_begin_epoch(&pub->host, pub->last_ns);

	for (uint32_t i = 0; i < pub->count && r == 0; i++)
		r = scaph_publication_begin_epoch(&pub->live[i]->publication, pub->last_ns);
	return r;
}

int scaph_window_begin(struct scaph_publisher *pub, uint64_t now_ns)
{
	struct scaph_instant instant;
	int r;

	pub->suspended_ns = suspended_ns();
	scaph_window_look(pub, now_ns);
	r = scaph_instant_take(pub, now_ns, &instant);
	pub->last_ns = instant.end_ns;
	memcpy(pub->last, instant.energy, sizeof(pub->last));
	if (pub->recorder)
		scaph_recorder_numbers(pub->recorder, pub->last_ns, pub->last);
	return r ? r : begin_epoch(pub);
}

static void count_break(struct scaph_publisher *pub)
{
	for (uint32_t i = 0; i < pub->count; i++)
		pub->live[i]->publication.breaks++;
	pub->host.breaks++;
}

/* Time that the machine spent asleep is in no window. */
static bool slept(struct scaph_publisher *pub)
{
	uint64_t before_ns = pub->suspended_ns;

	pub->suspended_ns = suspended_ns();
	return pub->suspended_ns > before_ns + SUSPEND_MIN_NS;
}

/*
 * A counter that steps was read at any time, and there are few of its steps in the window. Only the
 * first package's steps are met: another's counter is as old as its own last step.
 */
static bool between_steps(const struct scaph_publisher *pub, uint64_t dt_ns)
{
	bool met = pub->at_step && pub->packages == 1;

	return pub->terms->source->ops->peek && !met && dt_ns < STEPS_NS;
}

/* What the counters moved. Returns whether a package's reading is no continuation of its last. */
static bool measure(struct scaph_publisher *pub, const struct scaph_instant *instant,
		    struct scaph_window *window)
{
	const struct scaph_energy *energy = instant->energy;
	bool broken = false, was_lost = pub->lost;

	pub->lost = false;
	for (uint32_t p = 0; p < pub->packages; p++) {
		for (int zone = 0; zone < SCAPH_ZONES; zone++)
			window->delta_units[p][zone] =
				energy[p].zone_units[zone] - pub->last[p].zone_units[zone];
		broken |= energy[p].resets != pub->last[p].resets;
		pub->lost |= energy[p].lost;
		pub->last[p] = energy[p];
	}
	window->end_ns = instant->end_ns;
	window->dt_ns = instant->end_ns - pub->last_ns;
	window->coarse = instant->torn || between_steps(pub, window->dt_ns);
	memcpy(window->busy_ns, instant->busy_ns, sizeof(window->busy_ns));
	pub->last_ns = instant->end_ns;
	/* The break is counted where the stretch that cannot be known begins. */
	broken |= slept(pub) || window->dt_ns > pub->gap_max_ns || (pub->lost && !was_lost);
	window->divided = !broken && !pub->lost && !was_lost;
	return broken;
}

static void learn_idle(struct scaph_publisher *pub, const struct scaph_window *window)
{
	unsigned __int128 units = 0;
	uint64_t busy_ns = 0, idle_uw;

	for (uint32_t p = 0; p < pub->packages; p++) {
		units += window->delta_units[p][SCAPH_ZONE_AT_PACKAGE];
		busy_ns += window->busy_ns[p];
	}
	if (!window->divided) {
		scaph_idle_interrupt(&pub->idle);
		return;
	}
	if (!scaph_idle_note(&pub->idle, window->dt_ns, busy_ns, units, &idle_uw) ||
	    (pub->tally.learnt_idle_uw && idle_uw >= pub->tally.learnt_idle_uw))
		return;
	pub->tally.learnt_idle_uw = idle_uw;
	scaph_window_set_idle(pub, idle_uw);
}

static uint16_t flags_of(const struct scaph_publisher *pub, const struct scaph_window *window)
{
	const struct scaph_source *source = pub->terms->source;
	uint16_t flags = 0;

	if (window->dt_ns >= 2 * pub->terms->window_ns)
		flags |= SCAPH_FLAG_LATE;
	if (source->estimated)
		flags |= SCAPH_FLAG_ESTIMATED;
	if (source->filtered)
		flags |= SCAPH_FLAG_FILTERED;
	if (pub->meter->coarse)
		flags |= SCAPH_FLAG_COARSE;
	return flags;
}

/* Centuries of windows, or 65,535 gaps: begin anew before either can wrap. */
static int renew_epoch(struct scaph_publisher *pub)
{
	if (pub->host.outlet[0].writer.next_index <= SCAPH_INDEX_MAX &&
	    pub->host.breaks < UINT16_MAX)
		return 0;
	return begin_epoch(pub);
}

/* Records that say when, and that nothing is known: neither energy nor the CPU time that belongs to it. */
static void publish_held(struct scaph_publisher *pub, struct scaph_window *window)
{
	window->held = true;
	window->flags = flags_of(pub, window);
	scaph_division_publish(pub, window);
	pub->records_this_second++;
}

void scaph_window_close(struct scaph_publisher *pub, uint64_t now_ns)
{
	struct scaph_window window = { .end_ns = now_ns };
	struct scaph_instant instant;
	int r;

	scaph_window_look(pub, now_ns);
	if (renew_epoch(pub))
		return;
	r = scaph_instant_take(pub, now_ns, &instant);
	pub->held = r == SCAPH_INSTANT_HELD;
	if (pub->held) {
		publish_held(pub, &window);
		return;
	}
	/* A sweep that fails has taken nothing: the next window covers this one. */
	pub->sweep_failed = r < 0;
	if (pub->sweep_failed)
		return;
	if (measure(pub, &instant, &window))
		count_break(pub);
	window.by_traffic = scaph_dram_by_traffic(pub, window.end_ns);
	window.flags = flags_of(pub, &window);
	scaph_division_credit(pub, &window);
	scaph_division_store(pub);
	scaph_division_publish(pub, &window);
	if (!pub->idle_given)
		learn_idle(pub, &window);
	if (pub->recorder)
		scaph_recorder_window(pub->recorder, pub, &window);
	pub->records_this_second++;
}
