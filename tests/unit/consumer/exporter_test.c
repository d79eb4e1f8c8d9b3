/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exporter_test.c - sums, power and text of the exporter, without a share or a socket
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "consumer/prometheus/accept.h"
#include "consumer/prometheus/exposition.h"
#include "consumer/prometheus/landing.h"

#define WINDOW_NS 20000000ULL
#define FIGURES (SCAPH_HAS_PACKAGE | SCAPH_HAS_DRAM | SCAPH_HAS_CPU)

/* 50 mJ a window: 2.5 W. */
static struct scaph_record record_at(uint64_t epoch_id, uint64_t number)
{
	return (struct scaph_record){
		.epoch_id = epoch_id,
		.number = number,
		.mono_ns = WINDOW_NS * number,
		.package_uj = 50000 * number,
		.dram_uj = 10000 * number,
		.cpu_ns = 5000000 * number,
		.flags = FIGURES,
	};
}

static struct scaph_exhibit exhibit_of(const char *name)
{
	struct scaph_exhibit exhibit = { .present = true, .state = SCAPH_EXHIBIT_LIVE };

	exhibit.info.window_ns = WINDOW_NS;
	snprintf(exhibit.info.name, sizeof(exhibit.info.name), "%s", name);
	strcpy(exhibit.info.uuid, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
	return exhibit;
}

static void take(struct scaph_exhibit *exhibit, struct scaph_trail *trail, uint64_t epoch_id,
		 uint64_t from, uint64_t to)
{
	for (uint64_t number = from; number <= to; number++) {
		struct scaph_record record = record_at(epoch_id, number);

		scaph_exhibit_record(exhibit, trail, &record);
	}
}

static void sums(void **state)
{
	struct scaph_exhibit exhibit = exhibit_of("web");
	struct scaph_trail trail = {};
	struct scaph_record record;

	/* What was before the first record is not ours. */
	take(&exhibit, &trail, 7, 1000, 1000);
	assert_int_equal(exhibit.package_uj, 0);
	take(&exhibit, &trail, 7, 1001, 1010);
	assert_int_equal(exhibit.package_uj, 500000);
	/* Lost ones are in the next difference. */
	take(&exhibit, &trail, 7, 1100, 1100);
	assert_int_equal(exhibit.package_uj, 5000000);
	/* Taken before. */
	take(&exhibit, &trail, 7, 1050, 1100);
	assert_int_equal(exhibit.package_uj, 5000000);
	take(&exhibit, &trail, 7, 1101, 1101);
	assert_int_equal(exhibit.package_uj, 5050000);
	/* A window that stays open tells nothing; the record that ends it tells all. */
	record = record_at(7, 1102);
	record.flags = 0;
	record.package_uj = record.dram_uj = record.cpu_ns = 0;
	scaph_exhibit_record(&exhibit, &trail, &record);
	assert_int_equal(exhibit.package_uj, 5050000);
	assert_false(scaph_exhibit_shows(&exhibit, SCAPH_HAS_PACKAGE));
	take(&exhibit, &trail, 7, 1103, 1103);
	assert_int_equal(exhibit.package_uj, 5150000);
	take(&exhibit, &trail, 7, 1104, 1104);
	exhibit.package_uj -= 150000;
	exhibit.dram_uj -= 30000;
	/* A restarted scaphd counts from 0: no step back, and nothing over the break. */
	take(&exhibit, &trail, 8, 0, 10);
	assert_int_equal(exhibit.package_uj, 5550000);
	assert_int_equal(exhibit.dram_uj, 1110000);
	/* A gap is not counted either. */
	record = record_at(8, 20);
	record.breaks = 1;
	scaph_exhibit_record(&exhibit, &trail, &record);
	assert_int_equal(exhibit.package_uj, 5550000);
}

static void power(void **state)
{
	struct scaph_exhibit exhibit = exhibit_of("web");
	struct scaph_trail trail = {};
	struct scaph_record record;

	take(&exhibit, &trail, 7, 0, 0);
	assert_false(exhibit.has_power);
	take(&exhibit, &trail, 7, 1, 1);
	assert_true(exhibit.has_power);
	assert_int_equal(exhibit.power.power_uw, 2500000);
	take(&exhibit, &trail, 7, 2, 5000);
	assert_in_range(exhibit.power.duration_ns, 9700000000ULL, 10000000000ULL);
	assert_int_equal(exhibit.power.power_uw, 2500000);
	/* Ten seconds later what was before has no part in it. */
	for (uint64_t number = 5001; number <= 5520; number++) {
		record = record_at(7, number);
		record.package_uj = 50000 * 5000 + 100000 * (number - 5000);
		scaph_exhibit_record(&exhibit, &trail, &record);
	}
	assert_int_equal(exhibit.power.power_uw, 5000000);
	/* A window of 5 ms alone says nothing. */
	exhibit.info.window_ns = 5000000;
	record.epoch_id = 9;
	scaph_exhibit_record(&exhibit, &trail, &record);
	assert_false(exhibit.has_power);
	record.number++;
	record.mono_ns += 5000000;
	scaph_exhibit_record(&exhibit, &trail, &record);
	assert_false(exhibit.has_power);
	/* A figure that ends is not a figure of 0. */
	record.number++;
	record.mono_ns += 50000000;
	record.flags = SCAPH_HAS_CPU;
	scaph_exhibit_record(&exhibit, &trail, &record);
	assert_false(exhibit.has_power);
}

static void bulletins(void **state)
{
	struct scaph_exhibit exhibit = exhibit_of("host");
	struct scaph_bulletin bulletin = {
		.epoch_id = 7,
		.valid = SCAPH_BULLETIN_HAS_WALL | SCAPH_BULLETIN_HAS_RESIDUAL,
		.mono_ns = 1,
		.residual_uj = 1000,
		.psys_uj = 5,
	};

	scaph_exhibit_bulletin(&exhibit, &bulletin);
	assert_int_equal(exhibit.residual_uj, 0);
	bulletin.mono_ns = 2;
	bulletin.residual_uj = 1500;
	bulletin.psys_uj = 10;
	scaph_exhibit_bulletin(&exhibit, &bulletin);
	assert_int_equal(exhibit.residual_uj, 500);
	assert_int_equal(exhibit.psys_uj, 0);
	/* A rest that wavers by a rounding is not counted up each time. */
	for (bulletin.mono_ns = 3; bulletin.mono_ns < 10; bulletin.mono_ns++) {
		bulletin.residual_uj = bulletin.mono_ns % 2 ? 1499 : 1500;
		scaph_exhibit_bulletin(&exhibit, &bulletin);
	}
	assert_int_equal(exhibit.residual_uj, 500);
	/* Old bytes put back. */
	bulletin.mono_ns = 2;
	bulletin.residual_uj = 9000;
	scaph_exhibit_bulletin(&exhibit, &bulletin);
	assert_int_equal(exhibit.residual_uj, 500);
	/* Another epoch. */
	bulletin.epoch_id = 8;
	bulletin.residual_uj = 90;
	scaph_exhibit_bulletin(&exhibit, &bulletin);
	bulletin.mono_ns = 3;
	bulletin.residual_uj = 100;
	scaph_exhibit_bulletin(&exhibit, &bulletin);
	assert_int_equal(exhibit.residual_uj, 510);
}

static void labels(void **state)
{
	static const struct {
		const char *name, *label;
	} cases[] = {
		{ "web", "web" },
		{ "b\xc3\xa4r", "b\xc3\xa4r" },
		{ "a\"b", "a\\\\x22b" },
		{ "a\\b", "a\\\\x5cb" },
		{ "a\nb", "a\\\\x0ab" },
		{ "\x1b[31m", "\\\\x1b[31m" },
		{ "\xe2\x80\xae", "\\\\xe2\\\\x80\\\\xae" },
		{ "\xff\xc3", "\\\\xff\\\\xc3" },
		{ "", "" },
	};
	char label[SCAPH_LABEL_BYTES], longest[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scaph_label_escape(cases[i].name, label);
		assert_string_equal(label, cases[i].label);
	}
	memset(longest, '\n', 255);
	longest[255] = '\0';
	scaph_label_escape(longest, label);
	assert_int_equal(strlen(label), 255 * 5);
}

static char *text_of(const struct scaph_exposed *exposed,
		     void (*write)(const struct scaph_exposed *exposed, FILE *file))
{
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	write(exposed, file);
	fclose(file);
	return text;
}

static void write_landing(const struct scaph_exposed *exposed, FILE *file)
{
	scaph_landing_write(exposed, "/metrics", file);
}

static void write_text(const struct scaph_exposed *exposed, FILE *file)
{
	scaph_exposition_write(exposed, SCAPH_FORM_TEXT, file);
}

static void write_openmetrics(const struct scaph_exposed *exposed, FILE *file)
{
	scaph_exposition_write(exposed, SCAPH_FORM_OPENMETRICS, file);
}

#define WHO "{vm=\"a\\\\x22b\",uuid=\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\""

static void text(void **state)
{
	struct scaph_exhibit exhibit = exhibit_of("a\"b");
	struct scaph_survey survey = { .head = { .exhibits = 1, .segments = 1 },
				       .exhibit = &exhibit };
	struct scaph_exposed exposed = { .survey = &survey, .responds = true };
	struct scaph_trail trail = {};
	char *shown;

	take(&exhibit, &trail, 7, 0, 101);
	shown = text_of(&exposed, write_text);
	assert_non_null(strstr(shown, "\nscaph_up 1\n"));
	assert_non_null(strstr(shown, "\nscaph_vm_up" WHO "} 1\n"));
	assert_non_null(
		strstr(shown, "\nscaph_vm_energy_joules_total" WHO ",zone=\"package\"} 5.05\n"));
	assert_non_null(
		strstr(shown, "\nscaph_vm_energy_joules_total" WHO ",zone=\"dram\"} 1.01\n"));
	assert_non_null(strstr(shown, "\nscaph_vm_power_watts" WHO ",zone=\"package\"} 2.5\n"));
	assert_non_null(strstr(shown, "\nscaph_vm_cpu_seconds_total" WHO "} 0.505\n"));
	/* Not known: not there. */
	assert_null(strstr(shown, "core_joules"));
	free(shown);

	/* Nothing comes: no energy and no power, from whichever cause. */
	for (int state_of = SCAPH_EXHIBIT_LIVE; state_of <= SCAPH_EXHIBIT_SHARE_HANGS; state_of++) {
		exhibit.state = state_of;
		exposed.responds = state_of != SCAPH_EXHIBIT_LIVE;
		shown = text_of(&exposed, write_text);
		assert_non_null(strstr(shown, "\nscaph_up 0\n"));
		assert_non_null(strstr(shown, "\nscaph_vm_up" WHO "} 0\n"));
		assert_null(strstr(shown, "joules"));
		assert_null(strstr(shown, "watts"));
		free(shown);
	}
}

static void openmetrics(void **state)
{
	struct scaph_exhibit exhibit = exhibit_of("a\"b");
	struct scaph_survey survey = { .head = { .exhibits = 1, .segments = 1 },
				       .exhibit = &exhibit };
	struct scaph_exposed exposed = { .survey = &survey, .responds = true };
	struct scaph_trail trail = {};
	char *shown;

	take(&exhibit, &trail, 7, 0, 101);
	shown = text_of(&exposed, write_openmetrics);
	/* A family's name is without _total and _info, its samples' names are as in the other form. */
	assert_non_null(strstr(shown, "# TYPE scaph_vm_energy_joules counter\n"
				      "# UNIT scaph_vm_energy_joules joules\n"
				      "# HELP scaph_vm_energy_joules Energy"));
	assert_non_null(
		strstr(shown, "\nscaph_vm_energy_joules_total" WHO ",zone=\"package\"} 5.05\n"));
	assert_non_null(strstr(shown, "# TYPE scaph_vm_lost_records counter\n"
				      "# HELP scaph_vm_lost_records "));
	assert_non_null(strstr(shown, "# TYPE scaph_vm info\n# HELP scaph_vm How"));
	assert_non_null(strstr(shown, "\nscaph_vm_info" WHO ",source="));
	assert_non_null(strstr(shown, "# TYPE scaph_vm_up gauge\n# HELP scaph_vm_up "));
	assert_string_equal(shown + strlen(shown) - strlen("\n# EOF\n"), "\n# EOF\n");
	assert_ptr_equal(strstr(shown, "# EOF"), shown + strlen(shown) - strlen("# EOF\n"));
	free(shown);
}

static void negotiation(void **state)
{
	static const struct {
		const char *accept;
		bool openmetrics;
	} cases[] = {
		{ NULL, false },
		{ "", false },
		{ "*/*", false },
		{ "application/*", false },
		{ "text/html,*/*;q=0.8", false },
		{ "application/openmetrics-text", true },
		{ "Application/OpenMetrics-Text ; Version=1.0.0 ; Q=0.1", true },
		{ "application/openmetrics-text;version=0.0.1", false },
		{ "application/openmetrics-text;version=1.0.0;q=0", false },
		{ "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4", true },
		{ "application/openmetrics-text;q=0.3,text/plain;q=0.5", false },
		{ "application/openmetrics-text;q=0.501,text/plain;q=0.5", true },
		{ "application/openmetrics-text;q=0.3,*/*;q=0.8", false },
		{ "application/openmetrics-text;q=0.3,text/*;q=0.2,*/*;q=0.8", true },
		{ "application/openmetrics-text;q=0.3,text/plain;q=0.2,text/*", true },
		/* What other version of text is liked says nothing of ours. */
		{ "application/openmetrics-text;q=0.3,text/plain;version=1.0.0;q=0.9", true },
		/* Prometheus 2.42 and 3. */
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		  "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  true },
		{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		  "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
		  "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		  true },
		/* Not q-values: passed over. */
		{ "application/openmetrics-text;q=2", false },
		{ "application/openmetrics-text;q=1.001", false },
		{ "application/openmetrics-text;q=", false },
		{ "application/openmetrics-text;q=-1", false },
		{ "application/openmetrics-text;q=0.1234", false },
		{ "application/openmetrics-text;q=0.x", false },
		{ "application/openmetrics-text;q=nan,text/plain;q=0", false },
		/* No lists at all. */
		{ ",,;;,", false },
		{ ",;q=1,=, ,application/openmetrics-text;;q", true },
		{ "x;a=\"b,application/openmetrics-text\"", false },
		{ "x;a=\"\\\",application/openmetrics-text", false },
		{ "x;a=\"\\", false },
		{ "application/openmetrics-text2", false },
		{ "application/openmetrics-tex", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (scaph_accept_openmetrics(cases[i].accept) != cases[i].openmetrics)
			fail_msg("%s", cases[i].accept);
	}
}

static void page(void **state)
{
	struct scaph_exhibit exhibit = exhibit_of("<script>alert(1)</script>&\"'\x1b");
	struct scaph_survey survey = { .head = { .exhibits = 1, .segments = 1 },
				       .exhibit = &exhibit };
	struct scaph_exposed exposed = { .survey = &survey, .responds = true };
	char *shown;

	strcpy(survey.head.reason, "/x<y>: \x1b");
	strcpy(exhibit.reason, "<b>");
	exhibit.state = SCAPH_EXHIBIT_STALE;
	shown = text_of(&exposed, write_landing);
	assert_null(strstr(shown, "<script>"));
	assert_null(strstr(shown, "<b>"));
	assert_null(strstr(shown, "<y>"));
	assert_null(strchr(shown, '\x1b'));
	assert_non_null(strstr(shown, "&lt;script&gt;"));
	assert_non_null(strstr(shown, "href=\"/metrics\""));
	free(shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums),	       cmocka_unit_test(power),
		cmocka_unit_test(bulletins),   cmocka_unit_test(labels),
		cmocka_unit_test(text),	       cmocka_unit_test(page),
		cmocka_unit_test(openmetrics), cmocka_unit_test(negotiation),
	};

	return cmocka_run_group_tests_name("exporter", tests, NULL, NULL);
}
