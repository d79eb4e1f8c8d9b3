/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts_test.c - scaphd's pure parts: counters that wrap or restart, numbers people write, gaps,
 * rules, traces
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer/process/clock.h"
#include "producer/source/counter.h"
#include "producer/process/log.h"
#include "producer/domain/profile.h"
#include "producer/config/quantity.h"
#include "producer/process/tick.h"
#include "producer/source/trace.h"
#include "producer/publish/window.h"
#include "proto/names.h"

#define UUID_A "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define UUID_B "6ba7b811-9dad-11d1-80b4-00c04fd430c8"

static void counter_wraps(void **state)
{
	struct scaph_counter counter = { .range = 999, .step_units = 1 };

	/* The first reading is what others are subtracted from. */
	assert_int_equal(scaph_counter_advance(&counter, 900), 0);
	assert_int_equal(counter.energy_units, 0);
	assert_int_equal(scaph_counter_advance(&counter, 999), 0);
	assert_int_equal(counter.energy_units, 99);
	/* From the greatest value to 0 is one step, not none and not two. */
	assert_int_equal(scaph_counter_advance(&counter, 0), 0);
	assert_int_equal(counter.energy_units, 100);
	assert_int_equal(scaph_counter_advance(&counter, 400), 0);
	assert_int_equal(counter.energy_units, 500);
	/* A step above half the range is no consumption. */
	assert_int_equal(scaph_counter_advance(&counter, 399), SCAPH_COUNTER_RESET);
	assert_int_equal(counter.energy_units, 500);
}

/* What a counter lost in a restart is not known, and what it shows then is no step. */
static void counter_restarts(void **state)
{
	struct scaph_counter counter = { .step_units = 1 };

	scaph_counter_advance(&counter, 5000000);
	assert_int_equal(scaph_counter_advance(&counter, 4000000), SCAPH_COUNTER_RESET);
	assert_int_equal(counter.energy_units, 0);
	assert_int_equal(scaph_counter_advance(&counter, 4000007), 0);
	assert_int_equal(counter.energy_units, 7);
}

/* A reset from the upper half looks like a short step: what no machine can use is none. */
static void counter_bounded(void **state)
{
	const uint64_t range = UINT32_MAX, wrap_ns = 262 * SCAPH_NS_PER_S;
	struct scaph_counter counter = { .range = range, .step_units = 1 };

	scaph_counter_advance(&counter, 3000000000);
	counter.most = scaph_counter_most(range, wrap_ns, 20 * SCAPH_NS_PER_MS);
	assert_int_equal(scaph_counter_advance(&counter, 0), SCAPH_COUNTER_RESET);
	assert_int_equal(counter.energy_units, 0);
	/* At most a second late. */
	assert_int_equal(scaph_counter_advance(&counter, range / 262), 0);
	assert_int_equal(scaph_counter_advance(&counter, 3 * (range / 262)), SCAPH_COUNTER_RESET);
	assert_int_equal(counter.energy_units, range / 262);
	/* A wrap within the bound is one. */
	counter.raw = range - 10;
	assert_int_equal(scaph_counter_advance(&counter, 9), 0);
	assert_int_equal(counter.energy_units, range / 262 + 20);

	assert_int_equal(scaph_counter_most(range, wrap_ns, 1000 * SCAPH_NS_PER_S), range);
	assert_int_equal(scaph_counter_most(10, UINT64_MAX, 0), 1);
}

/* Every step of less than half the range is found again, from anywhere. */
static void counter_random(void **state)
{
	struct scaph_counter counter = { .range = 262143328850ULL, .step_units = 1 };
	uint64_t true_uj = 12345;

	srand(4);
	scaph_counter_advance(&counter, true_uj);
	for (int i = 0; i < 100000; i++) {
		uint64_t step_uj = ((uint64_t)rand() << 31 ^ (uint64_t)rand()) % 131071664425ULL;

		true_uj += step_uj;
		assert_int_equal(scaph_counter_advance(&counter, true_uj % (counter.range + 1)), 0);
		assert_int_equal(counter.energy_units, true_uj - 12345);
	}
}

static void numbers(void **state)
{
	static const char *const wrong[] = { "",    "-1",  "+1",  " 1", "1 ",
					     "0x1", "1.0", "1e3", "a",	"18446744073709551616" };
	uint64_t number = 7;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_true(scaph_quantity_number(wrong[i], &number) < 0);
	assert_int_equal(number, 7);
	assert_int_equal(scaph_quantity_number("18446744073709551615", &number), 0);
	assert_true(number == UINT64_MAX);
}

static void powers(void **state)
{
	static const char *const wrong[] = {
		"",    "-1", ".5",	 "1.",	"1.0000001",	       "1e2",
		"nan", "1 ", "100000.1", "inf", "99999999999999999999"
	};
	uint64_t power_uw = 7;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_true(scaph_quantity_power(wrong[i], &power_uw) < 0);
	assert_int_equal(power_uw, 7);
	assert_int_equal(scaph_quantity_power("0.000001", &power_uw), 0);
	assert_int_equal(power_uw, 1);
	assert_int_equal(scaph_quantity_power("12.5", &power_uw), 0);
	assert_int_equal(power_uw, 12500000);
	assert_int_equal(scaph_quantity_power("100000", &power_uw), 0);
	assert_int_equal(power_uw, 100000000000);
}

static void gaps(void **state)
{
	assert_int_equal(scaph_sampler_gap_max_ns(0), 15 * SCAPH_NS_PER_S);
	assert_int_equal(scaph_sampler_gap_max_ns(3600 * SCAPH_NS_PER_S), 15 * SCAPH_NS_PER_S);
	assert_int_equal(scaph_sampler_gap_max_ns(4 * SCAPH_NS_PER_S), SCAPH_NS_PER_S);
	/* A whole number of milliseconds that holds five ticks. */
	assert_true(scaph_tick_window_ns() >= 5 * scaph_tick_ns());
	assert_true(scaph_tick_window_ns() < 5 * scaph_tick_ns() + SCAPH_NS_PER_MS);
	assert_int_equal(scaph_tick_window_ns() % SCAPH_NS_PER_MS, 0);
}

static struct scaph_domain domain_of(const char *name, const char *uuid)
{
	struct scaph_domain domain = { .profile = SCAPH_PROFILE_OFF };

	snprintf(domain.name, sizeof(domain.name), "%s", name);
	assert_int_equal(scaph_uuid_parse(uuid, domain.uuid), 0);
	return domain;
}

/* The profile of domain web under up to three rules, in both orders; 0: one is refused. */
static uint32_t profile_under(const char *a, const char *b, const char *c)
{
	const struct scaph_domain web = domain_of("web", UUID_A);
	const char *texts[] = { a, b, c };
	struct scaph_config_item item[3];
	char nowhere[] = "/nonexistent/profiles";
	struct scaph_config config = { .profile_dir = nowhere, .profiles.item = item };
	uint32_t forward, count;

	for (int i = 0; i < 3; i++) {
		if (texts[i])
			item[config.profiles.count++] = (struct scaph_config_item){
				.text = (char *)(uintptr_t)texts[i],
				.origin = (char *)(uintptr_t) "--profile",
			};
	}
	if (scaph_profile_check(&config.profiles))
		return 0;
	forward = scaph_profile_of(&config, &web);
	count = config.profiles.count;
	for (uint32_t i = 0; i < count / 2; i++) {
		struct scaph_config_item other = item[i];

		item[i] = item[count - 1 - i];
		item[count - 1 - i] = other;
	}
	assert_int_equal(forward, scaph_profile_of(&config, &web));
	return forward;
}

static void rules(void **state)
{
	assert_int_equal(profile_under(NULL, NULL, NULL), SCAPH_PROFILE_SHARED);
	assert_int_equal(profile_under("*=trusted", NULL, NULL), SCAPH_PROFILE_TRUSTED);
	assert_int_equal(profile_under(UUID_A "=trusted", NULL, NULL), SCAPH_PROFILE_TRUSTED);
	assert_int_equal(profile_under(UUID_B "=trusted", NULL, NULL), SCAPH_PROFILE_SHARED);
	/* Of two of a kind the lower wins, whatever the order. */
	assert_int_equal(profile_under("*=trusted", "*=off", NULL), SCAPH_PROFILE_OFF);
	assert_int_equal(profile_under("*=trusted", "*=shared", NULL), SCAPH_PROFILE_SHARED);
	assert_int_equal(profile_under("*=trusted", "w*=off", NULL), SCAPH_PROFILE_OFF);
	assert_int_equal(profile_under("*=trusted", "w*=shared", NULL), SCAPH_PROFILE_SHARED);
	assert_int_equal(profile_under("*=trusted", "x*=off", NULL), SCAPH_PROFILE_TRUSTED);
	assert_int_equal(profile_under("*=trusted", UUID_A "=off", NULL), SCAPH_PROFILE_OFF);
	assert_int_equal(profile_under(UUID_A "=trusted", "web=off", NULL), SCAPH_PROFILE_OFF);
	assert_int_equal(profile_under(UUID_A "=trusted", UUID_A "=shared", NULL),
			 SCAPH_PROFILE_SHARED);
	/* '*' is about everybody; what is said of a UUID is about this one. */
	assert_int_equal(profile_under(UUID_A "=trusted", "*=off", NULL), SCAPH_PROFILE_TRUSTED);
	assert_int_equal(profile_under(UUID_A "=shared", "*=off", NULL), SCAPH_PROFILE_SHARED);
	assert_int_equal(profile_under(UUID_A "=trusted", "*=off", "web=off"), SCAPH_PROFILE_OFF);
	/* A name grants nothing: neither exact figures nor what '*' took away. */
	assert_int_equal(profile_under("web=trusted", NULL, NULL), 0);
	assert_int_equal(profile_under("web=shared", "*=off", NULL), SCAPH_PROFILE_OFF);
	assert_int_equal(profile_under("*=exact", NULL, NULL), 0);
	assert_int_equal(profile_under("web", NULL, NULL), 0);
}

static void say(const char *path, const char *text, mode_t mode)
{
	FILE *file;

	unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* A word in the folder of profiles is one more rule of its UUID; what nobody can vouch for is off. */
static void words_in_folder(void **state)
{
	static const char *const garbage[] = {
		"", "\n", "trusted\n\n", "exact", " trusted", "trustedx", "trusted\nmore words\n"
	};
	char folder[] = "/tmp/scaph-profiles-XXXXXX", path[96], other[96];
	const struct scaph_domain web = domain_of("web", UUID_A);
	struct scaph_config_item item = { .text = (char *)(uintptr_t)(UUID_A "=shared") };
	struct scaph_config config = { .profile_dir = folder, .profiles.item = &item };

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/" UUID_A, folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(scaph_profile_of(&config, &web), SCAPH_PROFILE_SHARED);
	say(path, "trusted\n", 0644);
	assert_int_equal(scaph_profile_of(&config, &web), SCAPH_PROFILE_TRUSTED);
	/* Of two words on one UUID the lower holds. */
	config.profiles.count = 1;
	assert_int_equal(scaph_profile_of(&config, &web), SCAPH_PROFILE_SHARED);
	config.profiles.count = 0;
	say(path, "off", 0600);
	assert_int_equal(scaph_profile_of(&config, &web), SCAPH_PROFILE_OFF);
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		say(path, garbage[i], 0644);
		assert_int_equal(scaph_profile_of(&config, &web), SCAPH_PROFILE_OFF);
	}
	/* Others could have written it, or put it there. */
	say(path, "trusted\n", 0664);
	assert_int_equal(scaph_profile_of(&config, &web), SCAPH_PROFILE_OFF);
	say(path, "trusted\n", 0644);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(scaph_profile_of(&config, &web), SCAPH_PROFILE_OFF);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(scaph_profile_of(&config, &web), SCAPH_PROFILE_TRUSTED);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(scaph_profile_of(&config, &web), SCAPH_PROFILE_OFF);
	unlink(path);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(scaph_profile_of(&config, &web), SCAPH_PROFILE_OFF);
	unlink(path);
	unlink(other);
	assert_int_equal(rmdir(folder), 0);
}

static void read_trace(const char *text, struct scaph_trace *ret_trace)
{
	char path[] = "/tmp/scaph-trace-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(scaph_trace_read(path, ret_trace), 0);
	unlink(path);
}

static void traces(void **state)
{
	struct scaph_trace trace;

	/* 3 W, then 4 W, for a second each, in a counter of 10 J: a wrap in 2.5 s at best. */
	read_trace("scaphring-trace 1\n# a remark\nzones dram package\nrange package 9999999\n"
		   "idle_watts 1.5\nquality estimated\n\n"
		   "1000000000 5 8000000\n2000000000 6 1000000\nwindow 2000000000 1\ncpu x 1 1\n"
		   "self 0\n3000000000 9 5000000\n",
		   &trace);
	assert_int_equal(trace.count, 3);
	assert_int_equal(trace.packages, 1);
	assert_int_equal(trace.package[0].zones, SCAPH_ZONE_PACKAGE | SCAPH_ZONE_DRAM);
	assert_true(trace.estimated && trace.idle_known);
	assert_int_equal(trace.idle_uw, 1500000);
	assert_int_equal(scaph_trace_raw(&trace, 2, 0), 9);
	assert_int_equal(scaph_trace_span_ns(&trace), 2 * SCAPH_NS_PER_S);
	assert_in_range(scaph_trace_wrap_ns(&trace), 2499999750, 2500000001);
	scaph_trace_clear(&trace);
	/* Nothing that wraps. */
	read_trace("scaphring-trace 1\nzones package\n1 1\n2 5\n", &trace);
	assert_int_equal(scaph_trace_wrap_ns(&trace), 0);
	scaph_trace_clear(&trace);
	/* Two packages, counts of 61.04 uJ in 32 bits. */
	read_trace("scaphring-trace 1\nzones package package@1 psys\nunit package@1 262144000000\n"
		   "range package@1 4294967295\n1 1 2 3\n2 5 4294967295 3\n",
		   &trace);
	assert_int_equal(trace.packages, 2);
	assert_int_equal(trace.package[1].zones, SCAPH_ZONE_PACKAGE);
	assert_int_equal(trace.package[1].counter[SCAPH_ZONE_AT_PACKAGE].step_units, 262144000000);
	assert_int_equal(trace.package[0].counter[SCAPH_ZONE_AT_PACKAGE].step_units,
			 SCAPH_UNITS_PER_UJ);
	assert_int_equal(scaph_trace_raw(&trace, 1, 1), 4294967295);
	scaph_trace_clear(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_wraps),  cmocka_unit_test(counter_restarts),
		cmocka_unit_test(counter_random), cmocka_unit_test(counter_bounded),
		cmocka_unit_test(numbers),	  cmocka_unit_test(powers),
		cmocka_unit_test(gaps),		  cmocka_unit_test(rules),
		cmocka_unit_test(traces),	  cmocka_unit_test(words_in_folder),
	};

	/* Refusals are wanted here: they need not be read. */
	if (!freopen("/dev/null", "w", stderr))
		return EXIT_FAILURE;
	return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
