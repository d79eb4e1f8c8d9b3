/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exposition.c - each metric over all subjects, as text
 *
 * Base units; energy and time as exact decimals, never through a floating-point number.
 */
#include "consumer/prometheus/exposition.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "consumer/prometheus/metrics.h"
#include "proto/names.h"

/* What is being written. */
struct page {
	const struct scaph_exposed *exposed;
	enum scaph_form form;
	FILE *file;
};

void scaph_label_escape(const char *name, char ret_text[SCAPH_LABEL_BYTES])
{
	char shown[4 * 255 + 1];
	size_t used = 0;

	scaph_name_escape(name, shown, sizeof(shown));
	for (const char *at = shown; *at && used + 3 < SCAPH_LABEL_BYTES; at++) {
		if (*at == '\\')
			ret_text[used++] = '\\';
		ret_text[used++] = *at;
	}
	ret_text[used] = '\0';
}

static void write_value(FILE *file, enum scaph_unit unit, const struct scaph_sample *sample)
{
	static const struct {
		uint64_t per_one;
		int digits;
	} units[] = { [SCAPH_UNIT_MICRO] = { 1000000, 6 },
		      [SCAPH_UNIT_NANO] = { 1000000000, 9 },
		      [SCAPH_UNIT_ONE] = { 1, 0 } };
	uint64_t per_one = units[unit].per_one;
	uint64_t rest = sample->value % per_one;
	int digits = units[unit].digits;

	fprintf(file, " %s%" PRIu64, sample->negative ? "-" : "", sample->value / per_one);
	for (; rest && rest % 10 == 0; digits--)
		rest /= 10;
	if (rest)
		fprintf(file, ".%0*" PRIu64, digits, rest);
	fputc('\n', file);
}

static void write_labels(FILE *file, const struct scaph_exhibit *exhibit, const char *more)
{
	char name[SCAPH_LABEL_BYTES];

	if (exhibit->info.is_host) {
		if (*more)
			fprintf(file, "{%s}", more);
		return;
	}
	scaph_label_escape(exhibit->info.name, name);
	fprintf(file, "{vm=\"%s\",uuid=\"%s\"%s%s}", name, exhibit->info.uuid, *more ? "," : "",
		more);
}

static size_t length_without(const char *name, size_t length, const char *ending)
{
	size_t cut = strlen(ending);

	return length > cut && memcmp(name + length - cut, ending, cut) == 0 ? length - cut
									     : length;
}

/* OpenMetrics names a family without what its samples' names end in, and says its unit. */
static void write_family(FILE *file, const char *name, const char *type, const char *help)
{
	static const char *const units[] = { "joules", "watts", "seconds", "ratio" };
	size_t length = strlen(name);

	if (strcmp(type, "counter") == 0)
		length = length_without(name, length, "_total");
	else if (strcmp(type, "info") == 0)
		length = length_without(name, length, "_info");
	fprintf(file, "# TYPE %.*s %s\n", (int)length, name, type);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t before = length_without(name, length, units[i]);

		if (before < length && name[before - 1] == '_')
			fprintf(file, "# UNIT %.*s %s\n", (int)length, name, units[i]);
	}
	fprintf(file, "# HELP %.*s %s\n", (int)length, name, help);
}

static void write_heading(const struct page *page, const char *name, const char *type,
			  const char *help)
{
	if (page->form == SCAPH_FORM_OPENMETRICS) {
		write_family(page->file, name, type, help);
		return;
	}
	/* What is always 1 has a type of its own only there. */
	if (strcmp(type, "info") == 0)
		type = "gauge";
	fprintf(page->file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* One metric over all subjects of one kind; its heading only if there is a sample. */
static void write_metric(const struct page *page, const struct scaph_metric *metric, bool of_host)
{
	const struct scaph_exposed *exposed = page->exposed;
	char name[128];
	bool begun = false;

	snprintf(name, sizeof(name), "scaph_%s_%s", of_host ? "host" : "vm", metric->name);
	for (uint32_t i = 0; i < exposed->survey->head.exhibits; i++) {
		const struct scaph_exhibit *exhibit = &exposed->survey->exhibit[i];

		if (!exhibit->present || !!exhibit->info.is_host != of_host)
			continue;
		for (uint32_t at = 0; at < metric->samples; at++) {
			struct scaph_sample sample = { .labels = "" };

			if (!metric->sample(exposed, exhibit, at, &sample))
				continue;
			if (!begun)
				write_heading(page, name, metric->type, metric->help);
			begun = true;
			fputs(name, page->file);
			write_labels(page->file, exhibit, sample.labels);
			write_value(page->file, metric->unit, &sample);
		}
	}
}

static void write_infos(const struct page *page, bool of_host)
{
	const struct scaph_exposed *exposed = page->exposed;
	const char *kind = of_host ? "host" : "vm";
	bool begun = false;

	for (uint32_t i = 0; i < exposed->survey->head.exhibits; i++) {
		const struct scaph_exhibit *exhibit = &exposed->survey->exhibit[i];
		char name[32], more[256];

		if (!exhibit->present || !!exhibit->info.is_host != of_host)
			continue;
		snprintf(name, sizeof(name), "scaph_%s_info", kind);
		if (!begun)
			write_heading(page, name, "info", "How the figures come about: always 1.");
		begun = true;
		snprintf(more, sizeof(more),
			 "source=\"%s\",meter=\"%s\",profile=\"%s\",mode=\"%s\"",
			 exhibit->info.source, exhibit->info.meter, exhibit->info.profile,
			 exhibit->info.mode);
		fputs(name, page->file);
		write_labels(page->file, exhibit, more);
		fputs(" 1\n", page->file);
	}
}

static void write_own(const struct page *page)
{
	const struct scaph_exposed *exposed = page->exposed;
	FILE *file = page->file;
	const struct scaph_survey_head *head = &exposed->survey->head;

	write_heading(page, "scaph_build_info", "info", "The exporter's version: always 1.");
	fprintf(file, "scaph_build_info{version=\"%s\"} 1\n", SCAPH_VERSION);
	write_heading(page, "scaph_up", "gauge", "1 if there is any energy figure now, else 0.");
	fprintf(file, "scaph_up %d\n", scaph_exposed_up(exposed));
	write_heading(page, "scaph_reader_responding", "gauge",
		      "1 if the reading process has answered within 3 s; 0: the share hangs.");
	fprintf(file, "scaph_reader_responding %d\n", exposed->responds);
	write_heading(page, "scaph_reader_replaced_total", "counter",
		      "Reading processes that had to be replaced.");
	fprintf(file, "scaph_reader_replaced_total %" PRIu64 "\n", exposed->replaced);
	if (!exposed->responds)
		return;
	write_heading(page, "scaph_segments", "gauge", "Segments found.");
	fprintf(file, "scaph_segments %" PRIu32 "\n", head->segments);
	write_heading(page, "scaph_segments_unreadable", "gauge",
		      "Of these, segments of which not even the name is known.");
	fprintf(file, "scaph_segments_unreadable %" PRIu32 "\n", head->unreadable);
}

const char *scaph_exposition_type(enum scaph_form form)
{
	return form == SCAPH_FORM_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}

void scaph_exposition_write(const struct scaph_exposed *exposed, enum scaph_form form, FILE *file)
{
	const struct page page = { .exposed = exposed, .form = form, .file = file };

	write_own(&page);
	for (int of_host = 1; of_host >= 0; of_host--) {
		write_infos(&page, of_host);
		for (size_t i = 0; i < scaph_metrics_count; i++) {
			if (of_host || !scaph_metrics[i].host_only)
				write_metric(&page, &scaph_metrics[i], of_host);
		}
	}
	if (form == SCAPH_FORM_OPENMETRICS)
		fputs("# EOF\n", file);
}
