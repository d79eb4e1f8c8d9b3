/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c - the rows as one JSON object: KEY_ns, KEY_p50_ns, KEY_p99_ns, KEY_p999_ns; KEY_mrec_s; counts as KEY and KEY_p90
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "tools/bench/report.h"
#include "tools/bench/rivals.h"

/* A figure that was not measured is not there. */
static void put(json_t *object, const char *key, const char *ending, double value)
{
	char name[96];

	if (isnan(value))
		return;
	snprintf(name, sizeof(name), "%s%s", key, ending);
	json_object_set_new(object, name, json_real(value));
}

static void put_row(json_t *object, struct bench_row *row)
{
	struct bench_series *series = &row->series;

	switch (row->unit) {
	case BENCH_NS:
		put(object, row->key, "_ns", bench_series_percentile(series, 50));
		put(object, row->key, "_p50_ns", bench_series_percentile(series, 50));
		put(object, row->key, "_p99_ns", bench_series_percentile(series, 99));
		put(object, row->key, "_p999_ns", bench_series_percentile(series, 99.9));
		break;
	case BENCH_MREC_S:
		put(object, row->key, "_mrec_s", bench_series_percentile(series, 50));
		break;
	case BENCH_COUNT:
		put(object, row->key, "", bench_series_percentile(series, 50));
		put(object, row->key, "_p90", bench_series_percentile(series, 90));
		break;
	}
}

static json_t *rival_object(const struct bench_rival *rival)
{
	json_t *object = json_object();

	json_object_set_new(object, "lacks", json_string(rival->peer->lacks));
	if (rival->missing) {
		json_object_set_new(object, "missing", json_true());
		return object;
	}
	put(object, "publish_ns", "", bench_series_percentile(&rival->publish->series, 50));
	put(object, "read_ns", "", bench_series_percentile(&rival->read->series, 50));
	if (rival->beside.records + rival->beside.empty + rival->beside.bad) {
		json_object_set_new(
			object, "reads_beside_writer",
			json_integer((json_int_t)(rival->beside.records + rival->beside.empty +
						  rival->beside.bad)));
		json_object_set_new(object, "empty_reads",
				    json_integer((json_int_t)rival->beside.empty));
		json_object_set_new(
			object, "bad_reads",
			json_integer((json_int_t)(rival->beside.empty + rival->beside.bad)));
	}
	return object;
}

int bench_json_print(FILE *file, const struct bench_plan *plan)
{
	json_t *object = json_object(), *peers = json_object();
	const struct bench_rival *rival;
	unsigned int count;
	int r;

	json_object_set_new(object, "machine", json_string(bench_machine()));
	json_object_set_new(object, "rounds", json_integer(plan->rounds));
	for (unsigned int i = 0; bench_topics[i]; i++) {
		for (unsigned int j = 0;
		     bench_topics[i] != &bench_rivals && j < bench_topics[i]->rows; j++)
			put_row(object, &bench_topics[i]->row[j]);
	}
	for (rival = bench_rivals_all(&count); count--; rival++)
		json_object_set_new(peers, rival->peer->key, rival_object(rival));
	json_object_set_new(object, "peers", peers);
	r = json_dumpf(object, file, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	json_decref(object);
	fputc('\n', file);
	return r ? -EIO : 0;
}

int bench_json_print_scale(FILE *file, const struct bench_scale_figures *figures,
			   unsigned int count)
{
	json_t *list = json_array();
	int r;

	for (; count--; figures++)
		json_array_append_new(
			list, json_pack("{s:i, s:s, s:i, s:f, s:f, s:f, s:f, s:f}", "domains",
					(int)figures->domains, "meter", figures->meter, "window_ms",
					(int)figures->window_ms, "cpu_pct", figures->cpu_pct,
					"floor_pct", figures->floor_pct, "rss_anon_mib",
					figures->rss_anon_mib, "tmpfs_mib", figures->tmpfs_mib,
					"switch_ns", figures->switch_ns));
	r = json_dumpf(list, file, JSON_INDENT(2) | JSON_REAL_PRECISION(4));
	json_decref(list);
	fputc('\n', file);
	return r ? -EIO : 0;
}
