/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_json.c - one object a line; the only user of jansson
 *
 * Schema 1 is documented in scaph(1). Absent values are null, never 0.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/command/view.h"

#define SCHEMA 1

static void set_text(json_t *object, const char *key, const char *text)
{
	/* A name that is no UTF-8 is shown escaped rather than left out. */
	json_t *value = text ? json_string(text) : json_null();

	json_object_set_new(object, key, value ? value : json_null());
}

static void set_number(json_t *object, const char *key, bool known, uint64_t number)
{
	json_object_set_new(object, key, known ? json_integer((json_int_t)number) : json_null());
}

static void set_record(json_t *object, bool shown, const struct scaph_record *record)
{
	char epoch[17];

	snprintf(epoch, sizeof(epoch), "%016" PRIx64, record->epoch_id);
	set_text(object, "epoch", shown ? epoch : NULL);
	set_number(object, "number", shown, record->number);
	set_number(object, "mono_ns", shown, record->mono_ns);
	set_number(object, "package_uj", shown && record->flags & SCAPH_HAS_PACKAGE,
		   record->package_uj);
	set_number(object, "core_uj", shown && record->flags & SCAPH_HAS_CORE, record->core_uj);
	set_number(object, "dram_uj", shown && record->flags & SCAPH_HAS_DRAM, record->dram_uj);
	set_number(object, "idle_uj", shown && record->flags & SCAPH_HAS_IDLE, record->idle_uj);
	set_number(object, "cpu_ns", shown && record->flags & SCAPH_HAS_CPU, record->cpu_ns);
	set_number(object, "breaks", shown, record->breaks);
}

static void set_identity(json_t *object, const struct scaph_feed *feed)
{
	const struct scaph_info *info = &feed->info;
	bool known = feed->described;

	json_object_set_new(object, "schema", json_integer(SCHEMA));
	set_text(object, "subject", known ? (info->is_host ? "host" : "domain") : NULL);
	json_object_set_new(object, "name", known ? json_string(info->name) : json_null());
	if (known && !json_is_string(json_object_get(object, "name")))
		set_text(object, "name", feed->shown);
	set_text(object, "uuid", known ? info->uuid : NULL);
	set_text(object, "mode", known ? info->mode : NULL);
	set_text(object, "source", known ? info->source : NULL);
	set_text(object, "meter", known ? info->meter : NULL);
	set_text(object, "profile", known ? info->profile : NULL);
	json_object_set_new(object, "window_ms",
			    known ? json_real((double)info->window_ns / 1e6) : json_null());
	json_object_set_new(object, "estimated",
			    known ? json_boolean(info->is_estimated) : json_null());
}

/* What measuring costs, of the host's totals: null until it is known, about two seconds. */
static void set_producer(json_t *object, struct scaph_feed *feed)
{
	struct scaph_bulletin told = { .size = sizeof(told) };
	json_t *producer;

	if (scaph_feed_bulletin(feed, &told) != SCAPH_OK ||
	    !(told.valid & SCAPH_BULLETIN_HAS_SAMPLING)) {
		json_object_set_new(object, "scaphd", json_null());
		return;
	}
	producer = json_object();
	json_object_set_new(producer, "cpu_percent", json_real(told.own_load_ppm / 1e4));
	json_object_set_new(producer, "cpu_budget_percent",
			    told.cpu_budget_ppm ? json_real(told.cpu_budget_ppm / 1e4)
						: json_null());
	json_object_set_new(producer, "over_budget",
			    json_boolean(told.reasons & SCAPH_BULLETIN_OVER_BUDGET));
	set_number(producer, "sampling_step", true, told.sampling_step);
	set_number(producer, "sampling_steps", true, told.sampling_steps);
	json_object_set_new(producer, "reads_per_s",
			    json_real((double)told.read_rate_millihz / 1e3));
	set_number(producer, "looks", true, told.looks);
	set_number(producer, "look_spent_ns", true, told.look_spent_ns);
	json_object_set_new(object, "scaphd", producer);
}

static void json_line(struct scaph_worker *worker, struct scaph_feeds *feeds,
		      struct scaph_feed *feed)
{
	struct scaph_figure figure = scaph_feed_line(feed);
	json_t *object = json_object();
	char *text;

	set_identity(object, feed);
	set_record(object, scaph_feed_has_figure(feed), &feed->record);
	json_object_set_new(object, "power_w",
			    figure.known ? json_real((double)figure.span.power_uw / 1e6)
					 : json_null());
	set_number(object, "lost", feed->reader || feed->track,
		   feed->reader || feed->track ? scaph_feed_lost(feed) : 0);
	json_object_set_new(object, "stale", json_boolean(figure.stale));
	set_text(object, "reason", figure.reason);
	if ((feed->reader || feed->track) && feed->described && feed->info.is_host)
		set_producer(object, feed);
	text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(object);
	if (!text)
		return;
	/* The line and its end in one message, so that a reader of the pipe never sees half of one. */
	size_t length = strlen(text);
	char *line = realloc(text, length + 2);

	if (line) {
		memcpy(line + length, "\n", 2);
		scaph_worker_print(worker, line, length + 1);
	}
	free(line ? line : text);
}

const struct scaph_view scaph_view_json = {
	.name = "json",
	.line = json_line,
};
