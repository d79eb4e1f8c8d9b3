/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c - the rows as a table: medians, 99th percentiles, ratios to the floor of the same run
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "tools/bench/partner.h"
#include "tools/bench/report.h"
#include "tools/bench/rivals.h"

const char *bench_machine(void)
{
	static char machine[256];
	char line[256], model[160] = "unknown processor";
	FILE *file = fopen("/proc/cpuinfo", "re");
	struct utsname name;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "model name : %159[^\n]", model) == 1)
			break;
	}
	if (file)
		fclose(file);
	uname(&name);
	snprintf(machine, sizeof(machine), "%s, %s %.64s", model, name.sysname, name.release);
	return machine;
}

static const char *unit_name(enum bench_unit unit)
{
	switch (unit) {
	case BENCH_NS:
		return "ns";
	case BENCH_MREC_S:
		return "M rec/s";
	default:
		return "";
	}
}

static void print_figure(FILE *file, double value)
{
	if (isnan(value))
		fprintf(file, " %11s", "-");
	else
		fprintf(file, value < 100 && value != floor(value) ? " %11.2f" : " %11.0f", value);
}

static void print_row(FILE *file, struct bench_row *row)
{
	double median = bench_series_percentile(&row->series, 50);
	double high = bench_series_percentile(&row->series, row->unit == BENCH_MREC_S ? 1 : 99);
	double below = row->floor ? bench_row_median(row->floor) : NAN;

	fprintf(file, "  %-52s", row->title);
	print_figure(file, median);
	print_figure(file, row->series.count > 1 ? high : NAN);
	fprintf(file, " %-8s", isnan(median) ? "" : unit_name(row->unit));
	if (!isnan(median / below))
		fprintf(file, "%7.2f x %s", median / below, row->floor);
	if (row->note && !row->floor)
		fprintf(file, "  %s", row->note);
	fputc('\n', file);
}

static void print_rivals(FILE *file)
{
	unsigned int count;
	const struct bench_rival *rival = bench_rivals_all(&count);

	fprintf(file, "\nwhat a segment does and they do not\n");
	for (; count--; rival++) {
		if (rival->missing)
			fprintf(file, "  %-12s missing: install %s and build again\n",
				rival->peer->key, rival->peer->package);
		else
			fprintf(file, "  %-12s %s\n", rival->peer->key, rival->peer->lacks);
		if (rival->beside.records + rival->beside.empty + rival->beside.bad)
			fprintf(file,
				"  %-12s beside its flat-out writer: of %llu reads %llu empty, "
				"%llu wrong\n",
				"",
				(unsigned long long)(rival->beside.records + rival->beside.empty +
						     rival->beside.bad),
				(unsigned long long)rival->beside.empty,
				(unsigned long long)rival->beside.bad);
	}
}

void bench_table_print(FILE *file, const struct bench_plan *plan)
{
	fprintf(file, "%s; %u interleaved rounds%s\n", bench_machine(), plan->rounds,
		bench_has_partner() ? "" : "; one CPU only: what needs two is left out");
	fprintf(file, "  %-52s %11s %11s %-8s%s\n", "", "median", "p99", "", "  ratio");
	for (unsigned int i = 0; bench_topics[i]; i++) {
		fprintf(file, "\n%s\n", bench_topics[i]->title);
		for (unsigned int j = 0; j < bench_topics[i]->rows; j++)
			print_row(file, &bench_topics[i]->row[j]);
	}
	print_rivals(file);
}
