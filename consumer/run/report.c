/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c - judging an account, and telling it to people
 */
#include "consumer/run/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/names.h"

#define SLACK_NS 1000000ULL
#define SLACK_WINDOW_NS 20000000ULL
/* Both are read from clocks with steps: what is more than this above the whole is no rounding. */
#define EXCESS 1.05

static uint64_t duration_ns(const struct scaph_report *report)
{
	return report->outcome.end_ns - report->outcome.begin_ns;
}

/*
 * Whether there are figures for the whole time. The two clocks are known better at the end than at the beginning, which may shift
 * one against the other by a part of a window.
 */
static bool is_whole(const struct scaph_report *report)
{
	const struct scaph_account *account = &report->answer.account;
	uint64_t slack_ns = report->answer.info.window_ns;

	if (account->gaps || report->answer.reason[0])
		slack_ns = SLACK_NS;
	else if (slack_ns < SLACK_WINDOW_NS)
		slack_ns = SLACK_WINDOW_NS;
	return account->covered_ns + slack_ns >= duration_ns(report);
}

/* A guest without a clock for it takes time that its host gave to others for its own. */
static bool has_excess(const struct scaph_report *report)
{
	const struct scaph_account *account = &report->answer.account;

	return account->flags & SCAPH_HAS_CPU && account->cpu_ns > 0 &&
	       (double)report->outcome.cpu_ns > EXCESS * account->cpu_ns;
}

bool scaph_report_judge(struct scaph_report *report)
{
	const struct scaph_account *account = &report->answer.account;
	double ran_s = (double)duration_ns(report) / 1e9;

	if (!report->heard)
		return false;
	if (!(account->flags & SCAPH_HAS_PACKAGE) || account->records < SCAPH_RUN_RECORDS_MIN) {
		if (report->answer.reason[0])
			snprintf(report->reason, sizeof(report->reason), "%s",
				 report->answer.reason);
		else
			snprintf(report->reason, sizeof(report->reason),
				 "it ran for %.3f s, in which %" PRIu64
				 " records ended; a figure needs two (one comes every %g ms)",
				 ran_s, account->records,
				 (double)report->answer.info.window_ns / 1e6);
		return false;
	}
	if (!is_whole(report))
		snprintf(report->reason, sizeof(report->reason),
			 "figures are there for %.3f of the %.3f s that it ran: %s",
			 (double)account->covered_ns / 1e9, ran_s,
			 report->answer.reason[0] ? report->answer.reason
						  : "there were gaps between records");
	else if (has_excess(report))
		snprintf(report->reason, sizeof(report->reason),
			 "the command's CPU time is above that of all: this system counts time "
			 "that its host gave to others; its share is taken as all");
	return true;
}

struct scaph_part scaph_report_part(const struct scaph_report *report)
{
	const struct scaph_account *account = &report->answer.account;
	struct scaph_part part = { .has_idle = account->flags & SCAPH_HAS_IDLE };
	double own_ns = (double)report->outcome.cpu_ns;

	/* CPU time is known for the whole run only; energy then must be, too. */
	part.known = account->flags & SCAPH_HAS_CPU && account->cpu_ns > 0 && is_whole(report);
	if (!part.known)
		return part;
	part.dynamic_uj = account->package_uj - (part.has_idle ? account->idle_uj : 0);
	if (part.dynamic_uj < 0)
		part.dynamic_uj = 0;
	/* Two clocks, one of them in ticks: never more than all. */
	part.fraction = own_ns < account->cpu_ns ? own_ns / account->cpu_ns : 1;
	part.own_uj = part.fraction * part.dynamic_uj;
	return part;
}

static void heading(const struct scaph_report *report, FILE *file)
{
	const struct scaph_info *info = &report->answer.info;
	char shown[1024];

	scaph_name_escape(info->name, shown, sizeof(shown));
	fprintf(file, "scaph run: %s  %s, %s  meter %s  window %g ms  profile %s\n",
		info->is_host ? "the host" : shown, info->source,
		info->is_estimated ? "ESTIMATED" : "measured", info->meter,
		(double)info->window_ns / 1e6, info->profile);
}

static void zone(FILE *file, const char *name, const struct scaph_account *account, uint32_t flag,
		 double uj)
{
	if (account->flags & flag)
		fprintf(file, "  %s %.3f J", name, uj / 1e6);
}

static void whole(const struct scaph_report *report, FILE *file)
{
	const struct scaph_account *account = &report->answer.account;
	char peak[48] = "no 50 ms in it for a highest";

	if (account->has_peak)
		snprintf(peak, sizeof(peak), "highest %.2f W", (double)account->peak_uw / 1e6);
	fprintf(file, "  %-8s %10.3f J +- %.3f  in %.3f s: mean %.2f W, %s\n",
		report->answer.info.is_host ? "host" : "domain", account->package_uj / 1e6,
		account->bound_uj / 1e6, (double)account->covered_ns / 1e9,
		account->package_uj * 1e3 / (double)account->covered_ns, peak);
	if (account->flags & (SCAPH_HAS_IDLE | SCAPH_HAS_CORE | SCAPH_HAS_DRAM)) {
		fprintf(file, "          ");
		zone(file, "idle", account, SCAPH_HAS_IDLE, account->idle_uj);
		zone(file, "core", account, SCAPH_HAS_CORE, account->core_uj);
		zone(file, "dram", account, SCAPH_HAS_DRAM, account->dram_uj);
		fputc('\n', file);
	}
}

static void share(const struct scaph_report *report, FILE *file)
{
	struct scaph_part part = scaph_report_part(report);

	if (!part.known) {
		fprintf(file,
			"  command  no figure: the CPU time of all is not known throughout\n");
		return;
	}
	fprintf(file,
		"  command  %10.3f J  its share of %s: %.3f s of %.3f s of CPU time, %.1f %%\n",
		part.own_uj / 1e6, part.has_idle ? "what is not idle" : "all",
		(double)report->outcome.cpu_ns / 1e9, report->answer.account.cpu_ns / 1e9,
		100 * part.fraction);
}

void scaph_report_text(struct scaph_report *report, FILE *file)
{
	if (!scaph_report_judge(report)) {
		fprintf(file, "scaph run: no figure: %s\n", report->reason);
		return;
	}
	heading(report, file);
	whole(report, file);
	share(report, file);
	if (report->reason[0])
		fprintf(file, "  note: %s\n", report->reason);
}
