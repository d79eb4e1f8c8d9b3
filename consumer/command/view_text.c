/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_text.c - for people: a heading and a line each step; for a host folder a table with a row for each domain
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "consumer/command/view.h"

#define HEADING_EVERY 20U
#define ROWS_BYTES 4096U

/* What has been printed so far in this process. */
static uint32_t lines_since_heading;

static void wall_clock(const struct scaph_feeds *feeds, char *ret_text, size_t size)
{
	time_t now = scaph_playtime_wall(&feeds->clock);
	struct tm local;

	localtime_r(&now, &local);
	strftime(ret_text, size, "%H:%M:%S", &local);
}

static void energy_text(uint64_t uj, char *ret_text, size_t size)
{
	double joules = (double)uj / 1e6;

	if (joules < 10000)
		snprintf(ret_text, size, "%.2f J", joules);
	else if (joules < 1e7)
		snprintf(ret_text, size, "%.2f kJ", joules / 1e3);
	else
		snprintf(ret_text, size, "%.3f kWh", joules / 3.6e6);
}

static double watts(uint64_t uj, uint64_t duration_ns)
{
	return duration_ns ? (double)uj * 1e3 / (double)duration_ns : 0;
}

static void zone_text(const struct scaph_span *span, uint32_t bit, uint64_t uj, char *ret_text,
		      size_t size)
{
	if (span->flags & bit)
		snprintf(ret_text, size, "%.2f W", watts(uj, span->duration_ns));
	else
		snprintf(ret_text, size, "-");
}

static void heading(struct scaph_worker *worker, const struct scaph_feed *feed)
{
	const struct scaph_info *info = &feed->info;
	char text[ROWS_BYTES];
	int length;

	length = snprintf(text, sizeof(text),
			  "%s (%s)  %s, %s  meter %s  window %g ms  profile %s  %s\n"
			  "%8s %12s %12s %12s %12s %12s %8s %6s\n",
			  feed->shown, info->uuid, info->source,
			  info->is_estimated ? "ESTIMATED" : "measured", info->meter,
			  (double)info->window_ns / 1e6, info->profile, info->mode, "time", "power",
			  "energy", "idle part", "core", "dram", "cpu", "lost");
	scaph_worker_print(worker, text, (size_t)length);
}

static void text_line(struct scaph_worker *worker, struct scaph_feeds *feeds,
		      struct scaph_feed *feed)
{
	struct scaph_figure figure = scaph_feed_line(feed);
	char text[ROWS_BYTES], clock[16], power[32], energy[32], idle[32], core[32], dram[32],
		cpu[32];
	struct scaph_span totals = {};
	int length;

	wall_clock(feeds, clock, sizeof(clock));
	if (feed->described && lines_since_heading++ % HEADING_EVERY == 0)
		heading(worker, feed);
	if (!figure.known) {
		const char *reason = figure.reason ? figure.reason : "first record, power follows";

		length = snprintf(text, sizeof(text), "%8s  no figure: %s\n", clock, reason);
		scaph_worker_print(worker, text, (size_t)length);
		return;
	}
	scaph_feed_totals(feed, &totals);
	energy_text(totals.package_uj, energy, sizeof(energy));
	zone_text(&figure.span, SCAPH_HAS_PACKAGE, figure.span.package_uj, power, sizeof(power));
	zone_text(&figure.span, SCAPH_HAS_IDLE, figure.span.idle_uj, idle, sizeof(idle));
	zone_text(&figure.span, SCAPH_HAS_CORE, figure.span.core_uj, core, sizeof(core));
	zone_text(&figure.span, SCAPH_HAS_DRAM, figure.span.dram_uj, dram, sizeof(dram));
	snprintf(cpu, sizeof(cpu), "%.1f %%",
		 100.0 * (double)figure.span.cpu_ns / (double)figure.span.duration_ns);
	length = snprintf(text, sizeof(text), "%8s %12s %12s %12s %12s %12s %8s %6" PRIu64 "\n",
			  clock, power, energy, idle, core, dram, cpu, scaph_feed_lost(feed));
	scaph_worker_print(worker, text, (size_t)length);
}

static void row(struct scaph_worker *worker, const char *name, const struct scaph_span *span,
		double host_w, uint64_t total_uj, const char *profile, const char *note)
{
	char text[ROWS_BYTES], power[32], share[32] = "-", energy[32], idle[32], cpu[32] = "-";
	double own_w = watts(span->package_uj, span->duration_ns);
	int length;

	zone_text(span, SCAPH_HAS_PACKAGE, span->package_uj, power, sizeof(power));
	zone_text(span, SCAPH_HAS_IDLE, span->idle_uj, idle, sizeof(idle));
	energy_text(total_uj, energy, sizeof(energy));
	if (host_w > 0 && span->flags & SCAPH_HAS_PACKAGE)
		snprintf(share, sizeof(share), "%.1f %%", 100 * own_w / host_w);
	if (span->flags & SCAPH_HAS_CPU)
		snprintf(cpu, sizeof(cpu), "%.1f %%",
			 100.0 * (double)span->cpu_ns / (double)span->duration_ns);
	length = snprintf(text, sizeof(text), "%-28.28s %12s %9s %12s %12s %9s  %-8s%s\n", name,
			  power, share, energy, idle, cpu, profile, note);
	scaph_worker_print(worker, text, (size_t)length);
}

static void row_without(struct scaph_worker *worker, const char *name, const char *reason)
{
	char text[ROWS_BYTES];
	int length = snprintf(text, sizeof(text), "%-28.28s no figure: %s\n", name, reason);

	scaph_worker_print(worker, text, (size_t)length);
}

/* What the host used and no domain did, over the same span: the column adds up. */
static struct scaph_span rest_of(const struct scaph_span *host, const struct scaph_span *domains)
{
	struct scaph_span rest = *host;

	rest.package_uj -= domains->package_uj < host->package_uj ? domains->package_uj
								  : host->package_uj;
	rest.idle_uj -= domains->idle_uj < host->idle_uj ? domains->idle_uj : host->idle_uj;
	rest.cpu_ns -= domains->cpu_ns < host->cpu_ns ? domains->cpu_ns : host->cpu_ns;
	return rest;
}

static void table_head(struct scaph_worker *worker, const struct scaph_feeds *feeds,
		       const struct scaph_feed *host)
{
	char text[ROWS_BYTES], clock[16];
	int length;

	wall_clock(feeds, clock, sizeof(clock));
	length = snprintf(
		text, sizeof(text),
		"%s  %s: %s, %s  meter %s  window %g ms\n%-28s %12s %9s %12s %12s %9s  %s\n", clock,
		host->shown, host->info.source, host->info.is_estimated ? "ESTIMATED" : "measured",
		host->info.meter, (double)host->info.window_ns / 1e6, "DOMAIN", "POWER", "OF HOST",
		"ENERGY", "IDLE PART", "CPU", "PROFILE");
	scaph_worker_print(worker, text, (size_t)length);
}

static struct scaph_feed *find_host(struct scaph_feeds *feeds)
{
	for (uint32_t i = 0; i < feeds->count; i++) {
		if (feeds->feed[i].described && feeds->feed[i].info.is_host)
			return &feeds->feed[i];
	}
	return NULL;
}

/* What measuring costs, and whether it is held down. */
static void producer_line(struct scaph_worker *worker, struct scaph_feed *host)
{
	struct scaph_bulletin told = { .size = sizeof(told) };
	char text[ROWS_BYTES], lowered[128] = "", budget[64] = "";
	int length;

	if (scaph_feed_bulletin(host, &told) != SCAPH_OK ||
	    !(told.valid & SCAPH_BULLETIN_HAS_SAMPLING))
		return;
	if (told.cpu_budget_ppm)
		snprintf(budget, sizeof(budget), " of the %g %% it may use",
			 told.cpu_budget_ppm / 1e4);
	if (told.sampling_step)
		snprintf(lowered, sizeof(lowered), "; sampling lowered for that, step %u of %u",
			 told.sampling_step, told.sampling_steps);
	length = snprintf(text, sizeof(text), "scaphd takes %.2f %%%s of a core%s%s\n",
			  told.own_load_ppm / 1e4, budget, lowered,
			  told.reasons & SCAPH_BULLETIN_OVER_BUDGET ? "; OVER ITS BUDGET" : "");
	scaph_worker_print(worker, text, (size_t)length);
}

static void text_table(struct scaph_worker *worker, struct scaph_feeds *feeds)
{
	struct scaph_feed *host = find_host(feeds);
	struct scaph_figure host_figure = host ? scaph_feed_line(host) : (struct scaph_figure){};
	struct scaph_span domains = {}, totals, host_totals = {}, domain_totals = {};
	double host_w = watts(host_figure.span.package_uj, host_figure.span.duration_ns);

	if (host)
		table_head(worker, feeds, host);
	for (uint32_t i = 0; i < feeds->count; i++) {
		struct scaph_feed *feed = &feeds->feed[i];
		struct scaph_figure figure;
		const char *name = feed->described ? feed->shown : feed->path;

		if (feed == host)
			continue;
		figure = scaph_feed_line(feed);
		if (!figure.known) {
			row_without(worker, name,
				    figure.reason ? figure.reason : "first record, power follows");
			continue;
		}
		scaph_feed_totals(feed, &totals);
		row(worker, name, &figure.span, host_w, totals.package_uj, feed->info.profile, "");
		domains.package_uj += figure.span.package_uj;
		domains.idle_uj += figure.span.idle_uj;
		domains.cpu_ns += figure.span.cpu_ns;
		domain_totals.package_uj += totals.package_uj;
	}
	if (!host_figure.known)
		return;
	scaph_feed_totals(host, &host_totals);
	domains = rest_of(&host_figure.span, &domains);
	domain_totals = rest_of(&host_totals, &domain_totals);
	row(worker, "(host itself)", &domains, host_w, domain_totals.package_uj, "", "");
	row(worker, "total", &host_figure.span, host_w, host_totals.package_uj, "", "");
	producer_line(worker, host);
	scaph_worker_print(worker, "\n", 1);
}

const struct scaph_view scaph_view_text = {
	.name = "text",
	.line = text_line,
	.table = text_table,
	.needs_power = true,
};
