/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plot.c - the picture: every transport's publish and read on one logarithmic scale, and how a publish grows
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/bench/report.h"
#include "tools/bench/rivals.h"

#define WIDTH 900
#define LEFT 190
#define RIGHT 60
#define BAR 13
#define LANE 38
#define TOP 70
#define DECADES 5 /* 1 ns to 100 us */
#define GROWTH_TOP_GAP 60
#define GROWTH_HEIGHT 150

static double x_of(double value_ns)
{
	double decades = log10(value_ns < 1 ? 1 : value_ns);

	return LEFT + decades * (WIDTH - LEFT - RIGHT) / DECADES;
}

static void text_at(FILE *file, double x, double y, const char *kind, const char *text)
{
	fprintf(file, "<text x='%.1f' y='%.1f' class='%s'>%s</text>\n", x, y, kind, text);
}

static void bar(FILE *file, double y, double value_ns, const char *kind)
{
	char label[32];

	if (isnan(value_ns)) {
		text_at(file, LEFT + 4, y + BAR - 2, "small", "missing");
		return;
	}
	fprintf(file, "<rect x='%d' y='%.1f' width='%.1f' height='%d' class='%s'/>\n", LEFT, y,
		x_of(value_ns) - LEFT, BAR, kind);
	snprintf(label, sizeof(label), value_ns < 100 ? "%.1f" : "%.0f", value_ns);
	text_at(file, x_of(value_ns) + 4, y + BAR - 2, "small", label);
}

static void lane(FILE *file, unsigned int at, const char *name, double publish_ns, double read_ns)
{
	double y = TOP + at * LANE;

	text_at(file, LEFT - 8, y + BAR + 4, "name", name);
	bar(file, y, publish_ns, "publish");
	bar(file, y + BAR + 2, read_ns, "read");
}

static void grid(FILE *file, double until_y)
{
	static const char *const names[] = { "1 ns", "10 ns", "100 ns", "1 us", "10 us", "100 us" };
	double floor_ns = bench_row_median("copy64");

	for (int decade = 0; decade <= DECADES; decade++) {
		double x = x_of(pow(10, decade));

		fprintf(file, "<line x1='%.1f' y1='%d' x2='%.1f' y2='%.1f' class='grid'/>\n", x,
			TOP - 12, x, until_y);
		text_at(file, x, TOP - 18, "axis", names[decade]);
	}
	fprintf(file, "<line x1='%.1f' y1='%d' x2='%.1f' y2='%.1f' class='floor'/>\n",
		x_of(floor_ns), TOP - 12, x_of(floor_ns), until_y);
	text_at(file, x_of(floor_ns), until_y + 12, "axis", "copy of 64 bytes");
}

/* One row of figures whose titles share a beginning: bars side by side, heights in ns from 0. */
static void growth(FILE *file, double x, double y, const char *title, const char *prefix)
{
	double highest = 0;
	int at = 0;

	text_at(file, x, y - 8, "head", title);
	for (unsigned int i = 0; i < bench_growth.rows; i++) {
		struct bench_row *row = &bench_growth.row[i];
		double value = bench_series_percentile(&row->series, 50);

		if (strncmp(row->key, prefix, strlen(prefix)) == 0 && value > highest)
			highest = value;
	}
	for (unsigned int i = 0; i < bench_growth.rows; i++) {
		struct bench_row *row = &bench_growth.row[i];
		double value = bench_series_percentile(&row->series, 50);
		double height = value / highest * (GROWTH_HEIGHT - 40);
		double left = x + 50 * at;
		char label[32];

		if (strncmp(row->key, prefix, strlen(prefix)) != 0 || isnan(value))
			continue;
		fprintf(file,
			"<rect x='%.1f' y='%.1f' width='34' height='%.1f' class='publish'/>\n",
			left, y + GROWTH_HEIGHT - 20 - height, height);
		snprintf(label, sizeof(label), "%.1f", value);
		text_at(file, left + 17, y + GROWTH_HEIGHT - 24 - height, "axis", label);
		text_at(file, left + 17, y + GROWTH_HEIGHT - 4, "axis", row->key + strlen(prefix));
		at++;
	}
}

void bench_plot_print(FILE *file)
{
	unsigned int count, lanes;
	const struct bench_rival *rival = bench_rivals_all(&count);
	double end;

	lanes = count + 2;
	end = TOP + lanes * LANE;
	fprintf(file,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%.0f' "
		"font-family='sans-serif'>\n"
		"<style>text{font-size:12px;fill:#222}.name{text-anchor:end}.axis{text-anchor:"
		"middle;font-size:11px}"
		".small{font-size:11px}.head{font-weight:bold}.publish{fill:#3566a8}.read{fill:#"
		"e08a2c}"
		".grid{stroke:#ddd}.floor{stroke:#b22;stroke-dasharray:4 3}</style>\n"
		"<rect width='100%%' height='100%%' fill='white'/>\n",
		WIDTH, end + GROWTH_TOP_GAP + GROWTH_HEIGHT + 10);
	text_at(file, 10, 20, "head",
		"A 64-byte record: what publishing (blue) and reading (orange) it costs, ns, "
		"median");
	text_at(file, 10, 36, "small", bench_machine());
	grid(file, end);
	lane(file, 0, "scaphring, checksum", bench_row_median("publish_hot"),
	     bench_row_median("next"));
	lane(file, 1, "read in batches", bench_row_median("publish_hot"),
	     bench_row_median("drain"));
	for (unsigned int i = 0; i < count; i++)
		lane(file, i + 2, rival[i].peer->key,
		     bench_series_percentile(&rival[i].publish->series, 50),
		     bench_series_percentile(&rival[i].read->series, 50));
	growth(file, 30, end + GROWTH_TOP_GAP, "publish: spinning readers", "publish_readers_");
	growth(file, 300, end + GROWTH_TOP_GAP, "segments in turn", "publish_segments_");
	growth(file, 630, end + GROWTH_TOP_GAP, "64-byte lines a record", "publish_lines_");
	fprintf(file, "</svg>\n");
}
