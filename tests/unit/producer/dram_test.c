/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dram_test.c - when weights hold, and what a window's dram energy is divided by
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/process/clock.h"
#include "producer/publish/division.h"
#include "producer/publish/dram.h"

#define DOMAINS 3U
#define NOTED_NS (100 * SCAPH_NS_PER_S)

static const struct scaph_config config = { .idle_policy = SCAPH_IDLE_NONE };
static struct scaph_source source = { .zones = SCAPH_ZONE_PACKAGE | SCAPH_ZONE_DRAM };
static const struct scaph_publication_terms terms = { .config = &config, .source = &source };
static struct scaph_publisher pub;
static struct scaph_entry entry[DOMAINS];

/* As the main thread leaves it: domains with 10, 0 and 30 of 50 bytes. */
static int setup(void **state)
{
	static const uint64_t bytes[DOMAINS] = { 10, 0, 30 };

	(void)state;
	memset(&pub, 0, sizeof(pub));
	memset(entry, 0, sizeof(entry));
	pub.terms = &terms;
	pub.packages = 1;
	pub.cpus = 2;
	pub.count = DOMAINS;
	for (uint32_t i = 0; i < DOMAINS; i++) {
		pub.live[i] = &entry[i];
		entry[i].domain.profile = SCAPH_PROFILE_TRUSTED;
		entry[i].traffic_noted.known = true;
		entry[i].traffic_noted.bytes[0] = bytes[i];
	}
	pub.traffic_noted = (struct scaph_publisher_traffic){ .known = true,
							      .noted_ns = NOTED_NS,
							      .whole = { 50 } };
	pub.traffic_news = true;
	return 0;
}

static void holds(void **state)
{
	(void)state;
	assert_false(scaph_dram_by_traffic(&pub, NOTED_NS));
	scaph_dram_take(&pub);
	assert_true(scaph_dram_by_traffic(&pub, NOTED_NS));
	assert_true(scaph_dram_by_traffic(&pub, NOTED_NS + 2 * SCAPH_NS_PER_S));
	/* Nobody has looked since. */
	assert_false(scaph_dram_by_traffic(&pub, NOTED_NS + 4 * SCAPH_NS_PER_S));
	/* No news: what is noted meanwhile is not half taken. */
	pub.traffic_noted.known = false;
	scaph_dram_take(&pub);
	assert_true(scaph_dram_by_traffic(&pub, NOTED_NS));
	pub.traffic_news = true;
	scaph_dram_take(&pub);
	assert_false(scaph_dram_by_traffic(&pub, NOTED_NS));
}

/* One that came after the look has no weight: then nobody has; not so if it is gone again. */
static void newcomer(void **state)
{
	(void)state;
	entry[1].traffic_noted.known = false;
	scaph_dram_take(&pub);
	assert_false(scaph_dram_by_traffic(&pub, NOTED_NS));
	entry[1].reading.gone = true;
	assert_true(scaph_dram_by_traffic(&pub, NOTED_NS));
}

static uint64_t dram_uj(uint32_t at)
{
	return scaph_units_uj(entry[at].tally.dram.total_units);
}

static void divided(void **state)
{
	struct scaph_window window = {
		.dt_ns = 20000000,
		.divided = true,
		.by_traffic = true,
		.busy_ns = { 1000 },
		.delta_units = { { [SCAPH_ZONE_AT_PACKAGE] = 1000 * SCAPH_UNITS_PER_UJ,
				   [SCAPH_ZONE_AT_DRAM] = 500 * SCAPH_UNITS_PER_UJ } },
	};

	(void)state;
	scaph_dram_take(&pub);
	entry[1].reading.package_ns[0] = 800;
	scaph_division_credit(&pub, &window);
	assert_int_equal(dram_uj(0), 100);
	assert_int_equal(dram_uj(1), 0);
	assert_int_equal(dram_uj(2), 300);
	/* The rest stays the host's, and all is as much as was measured. */
	assert_int_equal(scaph_units_uj(pub.tally.zone_units[SCAPH_ZONE_AT_DRAM]), 500);
	assert_int_equal(scaph_units_uj(entry[1].tally.package.total_units), 800);
	assert_int_equal(scaph_units_uj(entry[2].tally.package.total_units), 0);
	/* No CPU time at all is no matter to traffic. */
	window.busy_ns[0] = 0;
	entry[1].reading.package_ns[0] = 0;
	scaph_division_credit(&pub, &window);
	assert_int_equal(dram_uj(2), 600);
	/* By CPU time again. */
	window.by_traffic = false;
	window.busy_ns[0] = 1000;
	entry[1].reading.package_ns[0] = 800;
	scaph_division_credit(&pub, &window);
	assert_int_equal(dram_uj(0), 200);
	assert_int_equal(dram_uj(1), 400);
	assert_int_equal(dram_uj(2), 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(holds, setup),
		cmocka_unit_test_setup(newcomer, setup),
		cmocka_unit_test_setup(divided, setup),
	};

	return cmocka_run_group_tests_name("dram", tests, NULL, NULL);
}
