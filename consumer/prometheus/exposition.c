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

static void write_heading(FILE *file, const char *name, const char *type, const char *help)
{
	fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* One metric over all subjects of one kind; its heading only if there is a sample. */
static void write_metric(FILE *file, const struct scaph_exposed *exposed,
			 const struct scaph_metric *metric, bool of_host)
{
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
				write_heading(file, name, metric->type, metric->help);
			begun = true;
			fputs(name, file);
			write_labels(file, exhibit, sample.labels);
			write_value(file, metric->unit, &sample);
		}
	}
}

static void write_infos(FILE *file, const struct scaph_exposed *exposed, bool of_host)
{
	const char *kind = of_host ? "host" : "vm";
	bool begun = false;

	for (uint32_t i = 0; i < exposed->survey->head.exhibits; i++) {
		const struct scaph_exhibit *exhibit = &exposed->survey->exhibit[i];
		char name[32], more[256];

		if (!exhibit->present || !!exhibit->info.is_host != of_host)
			continue;
		snprintf(name, sizeof(name), "scaph_%s_info", kind);
		if (!begun)
			write_heading(file, name, "gauge", "How the figures come about: always 1.");
		begun = true;
		snprintf(more, sizeof(more),
			 "source=\"%s\",meter=\"%s\",profile=\"%s\",mode=\"%s\"",
			 exhibit->info.source, exhibit->info.meter, exhibit->info.profile,
			 exhibit->info.mode);
		fputs(name, file);
		write_labels(file, exhibit, more);
		fputs(" 1\n", file);
	}
}

static void write_own(FILE *file, const struct scaph_exposed *exposed)
{
	const struct scaph_survey_head *head = &exposed->survey->head;

	write_heading(file, "scaph_build_info", "gauge", "The exporter's version: always 1.");
	fprintf(file, "scaph_build_info{version=\"%s\"} 1\n", SCAPH_VERSION);
	write_heading(file, "scaph_up", "gauge", "1 if there is any energy figure now, else 0.");
	fprintf(file, "scaph_up %d\n", scaph_exposed_up(exposed));
	write_heading(file, "scaph_reader_responding", "gauge",
		      "1 if the reading process has answered within 3 s; 0: the share hangs.");
	fprintf(file, "scaph_reader_responding %d\n", exposed->responds);
	write_heading(file, "scaph_reader_replaced_total", "counter",
		      "Reading processes that had to be replaced.");
	fprintf(file, "scaph_reader_replaced_total %" PRIu64 "\n", exposed->replaced);
	if (!exposed->responds)
		return;
	write_heading(file, "scaph_segments", "gauge", "Segments found.");
	fprintf(file, "scaph_segments %" PRIu32 "\n", head->segments);
	write_heading(file, "scaph_segments_unreadable", "gauge",
		      "Of these, segments of which not even the name is known.");
	fprintf(file, "scaph_segments_unreadable %" PRIu32 "\n", head->unreadable);
}

void scaph_exposition_write(const struct scaph_exposed *exposed, FILE *file)
{
	write_own(file, exposed);
	for (int of_host = 1; of_host >= 0; of_host--) {
		write_infos(file, exposed, of_host);
		for (size_t i = 0; i < scaph_metrics_count; i++) {
			if (of_host || !scaph_metrics[i].host_only)
				write_metric(file, exposed, &scaph_metrics[i], of_host);
		}
	}
}
