/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landing.c - HTML without scripts; every text from outside is escaped twice, for screens and for HTML
 */
#include "consumer/prometheus/landing.h"

#include <inttypes.h>

#include "proto/names.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>scaph prometheus</title>\n<style>\n"
	"body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em;"
	"color:#222;background:#fff}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"th,td{text-align:left;padding:.3em .8em;border-bottom:1px solid #ccc}\n"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	".bad{color:#a00}\nsmall{color:#666}\n"
	"@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}"
	"a{color:#8bf}small{color:#999}.bad{color:#f88}th,td{border-color:#444}}\n"
	"</style></head>\n<body>\n<h1>scaph prometheus</h1>\n";

static void write_text(FILE *file, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", file);
			break;
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		default:
			fputc(*text, file);
		}
	}
}

static void write_outside(FILE *file, const char *text)
{
	char shown[4 * 512 + 1];

	scaph_name_escape(text, shown, sizeof(shown));
	write_text(file, shown);
}

static void write_power(FILE *file, const struct scaph_exhibit *exhibit)
{
	if (exhibit->has_power && exhibit->power.flags & SCAPH_HAS_PACKAGE)
		fprintf(file, "%.2f W", (double)exhibit->power.power_uw / 1e6);
	else
		fputs("&ndash;", file);
}

static const char *reason_of(const struct scaph_exposed *exposed,
			     const struct scaph_exhibit *exhibit)
{
	if (!exposed->responds)
		return "the share hangs";
	return exhibit->reason[0] ? exhibit->reason : "no figure yet";
}

static void write_row(FILE *file, const struct scaph_exposed *exposed,
		      const struct scaph_exhibit *exhibit)
{
	fputs("<tr><td>", file);
	write_outside(file, exhibit->info.name);
	fprintf(file, "%s<br><small>%s</small></td>", exhibit->info.is_host ? " (host, total)" : "",
		exhibit->info.uuid);
	if (exposed->responds && scaph_exhibit_shows(exhibit, SCAPH_HAS_PACKAGE)) {
		fputs("<td class=\"n\">", file);
		write_power(file, exhibit);
		fprintf(file, "</td><td class=\"n\">%.2f J</td><td class=\"n\">%.1f s</td><td>%s",
			(double)exhibit->package_uj / 1e6, (double)exhibit->cpu_ns / 1e9,
			exhibit->info.is_estimated ? "estimated" : "measured");
	} else {
		fputs("<td class=\"n\">&ndash;</td><td class=\"n\">&ndash;</td>"
		      "<td class=\"n\">&ndash;</td><td class=\"bad\">",
		      file);
		write_text(file, reason_of(exposed, exhibit));
	}
	fputs("</td></tr>\n", file);
}

static void write_table(FILE *file, const struct scaph_exposed *exposed)
{
	fputs("<table>\n<tr><th>Domain</th><th class=\"n\">Power (10 s)</th>"
	      "<th class=\"n\">Energy</th><th class=\"n\">CPU time</th><th>State</th></tr>\n",
	      file);
	for (int is_host = 0; is_host <= 1; is_host++) {
		for (uint32_t i = 0; i < exposed->survey->head.exhibits; i++) {
			const struct scaph_exhibit *exhibit = &exposed->survey->exhibit[i];

			if (exhibit->present && !!exhibit->info.is_host == is_host)
				write_row(file, exposed, exhibit);
		}
	}
	fputs("</table>\n<p><small>Energy and CPU time since this exporter began to "
	      "read.</small></p>\n",
	      file);
}

void scaph_landing_write(const struct scaph_exposed *exposed, const char *metrics_path, FILE *file)
{
	fputs(head, file);
	fputs("<p>Energy and power of virtual machines, for Prometheus: <a href=\"", file);
	write_text(file, metrics_path);
	fputs("\">metrics</a>. <a href=\"/healthz\">healthz</a>.</p>\n", file);
	if (!exposed->responds)
		fputs("<p class=\"bad\">No figures: the reading process does not answer (a share "
		      "that hangs?), or has only just begun.</p>\n",
		      file);
	else if (exposed->survey->head.reason[0]) {
		fputs("<p class=\"bad\">", file);
		write_outside(file, exposed->survey->head.reason);
		fputs("</p>\n", file);
	}
	write_table(file, exposed);
	fprintf(file, "<p><small>scaphring %s</small></p>\n</body></html>\n", SCAPH_VERSION);
}
