/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_json.c - the report for programs; the schema is in scaph(1), and what is not known is null
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "consumer/run/report.h"
#include "proto/names.h"

#define SCHEMA 1

static void set_text(json_t *object, const char *key, const char *text)
{
	json_t *value = text && *text ? json_string(text) : NULL;

	json_object_set_new(object, key, value ? value : json_null());
}

static void set_whole(json_t *object, const char *key, bool known, double number)
{
	json_object_set_new(object, key,
			    known ? json_integer((json_int_t)(number + 0.5)) : json_null());
}

static void set_real(json_t *object, const char *key, bool known, double number)
{
	json_object_set_new(object, key, known ? json_real(number) : json_null());
}

/* A word of the command line may be any bytes. */
static json_t *words_of(char **words)
{
	json_t *array = json_array();

	for (; *words; words++) {
		json_t *word = json_string(*words);

		json_array_append_new(array, word ? word : json_null());
	}
	return array;
}

static void set_identity(json_t *object, const struct scaph_report *report, bool known)
{
	const struct scaph_info *info = &report->answer.info;
	char shown[1024];

	/* A name that is no UTF-8 is shown escaped rather than left out. */
	scaph_name_escape(info->name, shown, sizeof(shown));
	set_text(object, "subject", !known ? NULL : info->is_host ? "host" : "domain");
	set_text(object, "name", known ? info->name : NULL);
	if (known && !json_is_string(json_object_get(object, "name")))
		set_text(object, "name", shown);
	set_text(object, "uuid", known ? info->uuid : NULL);
	set_text(object, "source", known ? info->source : NULL);
	set_text(object, "meter", known ? info->meter : NULL);
	set_text(object, "profile", known ? info->profile : NULL);
	set_real(object, "window_ms", known, (double)info->window_ns / 1e6);
	json_object_set_new(object, "estimated",
			    known ? json_boolean(info->is_estimated) : json_null());
}

static void set_figures(json_t *object, const struct scaph_report *report, bool known)
{
	const struct scaph_account *account = &report->answer.account;

	set_real(object, "covered_s", known, (double)account->covered_ns / 1e9);
	set_whole(object, "records", report->heard, (double)account->records);
	set_whole(object, "gaps", report->heard, (double)account->gaps);
	set_whole(object, "lost", report->heard, (double)report->answer.lost);
	set_whole(object, "package_uj", known, account->package_uj);
	set_whole(object, "bound_uj", known, account->bound_uj);
	set_whole(object, "core_uj", known && account->flags & SCAPH_HAS_CORE, account->core_uj);
	set_whole(object, "dram_uj", known && account->flags & SCAPH_HAS_DRAM, account->dram_uj);
	set_whole(object, "idle_uj", known && account->flags & SCAPH_HAS_IDLE, account->idle_uj);
	set_whole(object, "cpu_ns", known && account->flags & SCAPH_HAS_CPU, account->cpu_ns);
	set_real(object, "power_w", known,
		 known ? account->package_uj * 1e3 / (double)account->covered_ns : 0);
	set_real(object, "highest_w", known && account->has_peak, (double)account->peak_uw / 1e6);
}

void scaph_report_json(struct scaph_report *report, FILE *file)
{
	bool known = scaph_report_judge(report);
	struct scaph_part part = known ? scaph_report_part(report) : (struct scaph_part){};
	json_t *object = json_object();
	char *text;

	json_object_set_new(object, "schema", json_integer(SCHEMA));
	json_object_set_new(object, "command", words_of(report->words));
	json_object_set_new(object, "status", json_integer(report->outcome.status));
	json_object_set_new(object, "signal",
			    report->outcome.signal ? json_integer(report->outcome.signal)
						   : json_null());
	set_real(object, "duration_s", true,
		 (double)(report->outcome.end_ns - report->outcome.begin_ns) / 1e9);
	set_identity(object, report, report->answer.info.uuid[0]);
	set_figures(object, report, known);
	set_whole(object, "command_cpu_ns", true, (double)report->outcome.cpu_ns);
	set_real(object, "command_fraction", part.known, part.fraction);
	set_whole(object, "command_uj", part.known, part.own_uj);
	set_text(object, "reason", report->reason);
	text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(object);
	if (text)
		fprintf(file, "%s\n", text);
	free(text);
}
