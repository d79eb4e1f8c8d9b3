/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c - what the publisher has noted, in words of the log: each once, when it begins and when it ends
 *
 * Main thread only: the publisher itself never logs. Whoever is noted as gone leaves.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "producer/daemon.h"
#include "producer/process/clock.h"
#include "producer/process/log.h"

/*
 * Segments that were cut under the publisher; each is said once. @failed and @said: bits by enum
 * scaph_outlet_kind.
 */
static void report_failed(const char *whose, uint8_t failed, uint8_t *said)
{
	static const struct {
		const char *what, *mend;
	} words[SCAPH_OUTLETS_MAX] = {
		[SCAPH_OUTLET_SHARE] = { "segment", "a fresh share" },
		[SCAPH_OUTLET_IVSHMEM] = { "ivshmem file", "a fresh ivshmem file" },
		[SCAPH_OUTLET_HOST] = { "copy in the host folder", "nothing but this" },
	};

	for (unsigned int kind = 0; kind < SCAPH_OUTLETS_MAX; kind++) {
		if (failed & ~*said & 1U << kind)
			scaph_warning("the %s of %s was cut under us and is no longer written; "
				      "give it %s and restart scaphd",
				      words[kind].what, whose, words[kind].mend);
	}
	*said |= failed;
}

/* One line when it begins, one when it is over. */
static void report_change(bool *was, bool is, const char *begun, const char *over)
{
	if (is && !*was)
		scaph_warning("%s", begun);
	else if (!is && *was)
		scaph_info("%s", over);
	*was = is;
}

/* What happened to one domain since it was looked at last. */
static void report_entry(struct scaph_daemon *daemon, struct scaph_entry *entry)
{
	struct scaph_publisher *pub = &daemon->publisher;
	uint8_t failed;
	bool gone;

	pthread_mutex_lock(&pub->lock);
	failed = entry->failed;
	gone = entry->gone;
	pthread_mutex_unlock(&pub->lock);
	report_failed(entry->domain.shown, failed, &entry->failed_said);
	if (gone)
		scaph_admission_leave(&daemon->admission, entry,
				      entry->domain.pid ? "its process has ended"
							: "its control group was removed");
}

static double percent(uint32_t ppm)
{
	return (double)ppm / SCAPH_BUDGET_PPM_PER_PERCENT;
}

/* Once a change. */
static void report_budget(const struct scaph_daemon *daemon, const struct scaph_budget *now)
{
	static struct scaph_budget said;
	double used = percent(now->used_ppm), given = percent(now->given_ppm);

	if (now->over && !said.over)
		scaph_warning("scaphd uses %.2f %% of a core, more than the --cpu-budget of %g %%, "
			      "and its sampling is as low as can be: give a longer --window (it is "
			      "%u ms) or a greater budget",
			      used, given,
			      (unsigned int)(daemon->terms.window_ns / SCAPH_NS_PER_MS));
	if (now->step > said.step)
		scaph_warning("scaphd uses %.2f %% of a core, more than the --cpu-budget of %g %%: "
			      "sampling lowered, step %u of %u; windows stay as they are",
			      used, given, now->step, SCAPH_BUDGET_STEPS);
	else if (now->step < said.step && now->step)
		scaph_info("scaphd uses %.2f %% of a core: sampling raised to step %u of %u", used,
			   now->step, SCAPH_BUDGET_STEPS);
	else if (now->step < said.step)
		scaph_info("scaphd uses %.2f %% of a core: sampling raised, it is full again",
			   used);
	else if (said.over && !now->over)
		scaph_info("scaphd uses %.2f %% of a core: within the --cpu-budget again", used);
	said = *now;
}

void scaph_daemon_report(struct scaph_daemon *daemon)
{
	static bool source_reported, meter_reported;
	static uint64_t idle_reported_uw;
	static uint8_t host_said;
	struct scaph_publisher *pub = &daemon->publisher;
	struct scaph_entry *entry = scaph_table_first(daemon->table), *next;
	bool source_lost, meter_lost;
	uint64_t wakes, idle_uw;
	struct scaph_budget budget;
	uint8_t host_failed;

	if (read(pub->wake_fd, &wakes, sizeof(wakes)) < 0 && errno != EAGAIN)
		scaph_warning("wake-up: %s", strerror(errno));
	pthread_mutex_lock(&pub->lock);
	source_lost = pub->source_lost;
	meter_lost = pub->meter_lost;
	idle_uw = pub->learnt_idle_uw;
	budget = pub->budget_noted;
	host_failed = pub->host_failed;
	pthread_mutex_unlock(&pub->lock);
	for (; entry; entry = next) {
		next = scaph_table_next(daemon->table, entry);
		report_entry(daemon, entry);
	}
	report_failed("the host's totals", host_failed, &host_said);
	report_change(&source_reported, source_lost,
		      "the energy source has ended or cannot be read: records go on without energy",
		      "the energy source is back");
	report_change(&meter_reported, meter_lost,
		      "CPU times cannot be read: no records until they can",
		      "CPU times can be read again");
	report_budget(daemon, &budget);
	if (!pub->idle_given && idle_uw != idle_reported_uw)
		scaph_info("idle power learnt: %.3f W", (double)idle_uw / 1e6);
	idle_reported_uw = idle_uw;
}
