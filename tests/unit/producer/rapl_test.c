/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rapl_test.c - registers and units of every kind of processor, each exception by itself
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/source/rapl.h"

#define J (UINT64_C(1000000) << 32) /* units of 2^-32 uJ */
#define INTEL_UNIT 0xa0e03U /* as most have it: 2^-14 J */

#define P SCAPH_ZONE_PACKAGE
#define C SCAPH_ZONE_CORE
#define U SCAPH_ZONE_UNCORE
#define D SCAPH_ZONE_DRAM
#define S SCAPH_ZONE_PSYS

static struct scaph_rapl found(enum scaph_vendor vendor, uint32_t family, uint32_t model)
{
	struct scaph_rapl rapl;
	const char *why;

	assert_int_equal(scaph_rapl_find(vendor, family, model, &rapl, &why), 0);
	return rapl;
}

static uint64_t step(const struct scaph_rapl *rapl, int zone, uint64_t unit)
{
	return scaph_rapl_step_units(rapl, zone, unit);
}

static void registers(void **state)
{
	struct scaph_rapl skylake = found(SCAPH_VENDOR_INTEL, 6, 0x5e);
	struct scaph_rapl zen = found(SCAPH_VENDOR_AMD, 0x17, 0x31);

	assert_int_equal(skylake.unit_msr, 0x606);
	assert_int_equal(skylake.zones, P | C | U | D | S);
	assert_int_equal(skylake.msr[SCAPH_ZONE_AT_PACKAGE], 0x611);
	assert_int_equal(skylake.msr[SCAPH_ZONE_AT_CORE], 0x639);
	assert_int_equal(skylake.msr[SCAPH_ZONE_AT_UNCORE], 0x641);
	assert_int_equal(skylake.msr[SCAPH_ZONE_AT_DRAM], 0x619);
	assert_int_equal(skylake.msr[SCAPH_ZONE_AT_PSYS], 0x64d);
	/* One core's counter is no zone of a package. */
	assert_int_equal(zen.unit_msr, 0xc0010299);
	assert_int_equal(zen.zones, P);
	assert_int_equal(zen.msr[SCAPH_ZONE_AT_PACKAGE], 0xc001029b);
	assert_int_equal(zen.msr[SCAPH_ZONE_AT_CORE], 0);
	assert_false(scaph_rapl_core_is_package(SCAPH_VENDOR_AMD));
	assert_false(scaph_rapl_core_is_package(SCAPH_VENDOR_HYGON));
	assert_true(scaph_rapl_core_is_package(SCAPH_VENDOR_INTEL));
}

/* 2^-n J for each n the register can hold; the other bits do not matter. */
static void units(void **state)
{
	struct scaph_rapl rapl = found(SCAPH_VENDOR_INTEL, 6, 0x5e);

	for (uint32_t n = 1; n < 32; n++) {
		uint64_t value = 0xdeadbeeffff0e0ffULL | n << 8;

		for (int zone = 0; zone < SCAPH_ZONES; zone++)
			assert_true(step(&rapl, zone, value) << n == J && J >> n << n == J);
	}
	assert_int_equal(step(&rapl, SCAPH_ZONE_AT_PACKAGE, 0), 0);
	assert_int_equal(step(&rapl, SCAPH_ZONE_AT_PACKAGE, ~UINT64_C(0x1f00)), 0);
}

static void server_dram(void **state)
{
	static const uint8_t fixed[] = { 0x3f, 0x4f, 0x56, 0x55, 0x6a, 0x6c, 0x57, 0x85 };
	static const uint8_t plain[] = { 0x2d, 0x3e, 0x8f, 0xcf, 0x3c, 0x5e };

	for (size_t i = 0; i < sizeof(fixed); i++) {
		struct scaph_rapl rapl = found(SCAPH_VENDOR_INTEL, 6, fixed[i]);

		assert_true(rapl.zones & D);
		assert_true(step(&rapl, SCAPH_ZONE_AT_DRAM, INTEL_UNIT) == J >> 16);
		assert_true(step(&rapl, SCAPH_ZONE_AT_PACKAGE, INTEL_UNIT) == J >> 14);
	}
	for (size_t i = 0; i < sizeof(plain); i++) {
		struct scaph_rapl rapl = found(SCAPH_VENDOR_INTEL, 6, plain[i]);

		assert_true(rapl.zones & D);
		assert_true(step(&rapl, SCAPH_ZONE_AT_DRAM, INTEL_UNIT) == J >> 14);
	}
}

static void psys(void **state)
{
	static const uint8_t spr[] = { 0x8f, 0xcf };
	struct scaph_rapl client = found(SCAPH_VENDOR_INTEL, 6, 0x9e);

	for (size_t i = 0; i < sizeof(spr); i++) {
		struct scaph_rapl rapl = found(SCAPH_VENDOR_INTEL, 6, spr[i]);

		assert_int_equal(rapl.zones, P | C | D | S);
		assert_true(step(&rapl, SCAPH_ZONE_AT_PSYS, INTEL_UNIT) == J);
		assert_true(step(&rapl, SCAPH_ZONE_AT_CORE, INTEL_UNIT) == J >> 14);
	}
	assert_true(step(&client, SCAPH_ZONE_AT_PSYS, INTEL_UNIT) == J >> 14);
	/* No server before them has it. */
	assert_false(found(SCAPH_VENDOR_INTEL, 6, 0x6a).zones & S);
	assert_int_equal(found(SCAPH_VENDOR_INTEL, 6, 0x57).zones, P | D);
	assert_int_equal(found(SCAPH_VENDOR_INTEL, 6, 0x2a).zones, P | C | U);
}

/* 2^n microjoule: 32 of them in a count with the usual 5. */
static void atoms(void **state)
{
	static const uint8_t model[] = { 0x37, 0x4a, 0x4c, 0x5a };
	struct scaph_rapl goldmont = found(SCAPH_VENDOR_INTEL, 6, 0x5c);

	for (size_t i = 0; i < sizeof(model); i++) {
		struct scaph_rapl rapl = found(SCAPH_VENDOR_INTEL, 6, model[i]);

		assert_int_equal(rapl.zones, P | C);
		assert_true(step(&rapl, SCAPH_ZONE_AT_PACKAGE, 0x505) == UINT64_C(32) << 32);
		assert_true(step(&rapl, SCAPH_ZONE_AT_CORE, 0x1f05) == UINT64_C(1) << 63);
	}
	/* Their successors count as everybody does. */
	assert_true(step(&goldmont, SCAPH_ZONE_AT_PACKAGE, INTEL_UNIT) == J >> 14);
}

static void amd(void **state)
{
	static const uint8_t family[] = { 0x17, 0x19, 0x1a };

	for (size_t i = 0; i < sizeof(family); i++) {
		struct scaph_rapl rapl = found(SCAPH_VENDOR_AMD, family[i], 1);

		assert_true(step(&rapl, SCAPH_ZONE_AT_PACKAGE, 0xa1003) == J >> 16);
	}
	assert_int_equal(found(SCAPH_VENDOR_HYGON, 0x18, 0).msr[0], 0xc001029b);
}

static void refusals(void **state)
{
	static const struct {
		enum scaph_vendor vendor;
		uint32_t family, model;
		const char *word;
	} refused[] = {
		{ SCAPH_VENDOR_INTEL, 6, 0xad, "TPMI" },
		{ SCAPH_VENDOR_INTEL, 6, 0xae, "TPMI" },
		{ SCAPH_VENDOR_INTEL, 6, 0xaf, "TPMI" },
		{ SCAPH_VENDOR_INTEL, 6, 0xdd, "TPMI" },
		{ SCAPH_VENDOR_INTEL, 19, 1, "no energy registers" },
		{ SCAPH_VENDOR_INTEL, 6, 0x4d, "not known" },
		{ SCAPH_VENDOR_INTEL, 6, 0x1a, "not known" },
		{ SCAPH_VENDOR_INTEL, 15, 0x5e, "not known" },
		{ SCAPH_VENDOR_INTEL, 6, 0x15e, "not known" },
		{ SCAPH_VENDOR_AMD, 0x16, 0, "17h" },
		{ SCAPH_VENDOR_HYGON, 0x17, 0, "17h" },
		{ SCAPH_VENDOR_OTHER, 6, 0x5e, "none of" },
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct scaph_rapl rapl = { .zones = 77 };
		const char *why = NULL;

		assert_true(scaph_rapl_find(refused[i].vendor, refused[i].family, refused[i].model,
					    &rapl, &why) < 0);
		assert_non_null(strstr(why, refused[i].word));
		assert_int_equal(rapl.zones, 77);
	}
}

static void dies(void **state)
{
	assert_true(scaph_topology_per_die(SCAPH_VENDOR_INTEL, 6, 0x55));
	assert_false(scaph_topology_per_die(SCAPH_VENDOR_INTEL, 6, 0xad));
	assert_false(scaph_topology_per_die(SCAPH_VENDOR_AMD, 0x17, 0x55));
}

static void wraps(void **state)
{
	struct scaph_source_counter counter = { .step_units = J >> 16, .range = UINT32_MAX };

	/* 65536 J at 1000 W, or at 2 x 2000 W. */
	assert_in_range(scaph_rapl_wrap_ns(SCAPH_ZONE_AT_PACKAGE, 2, &counter), 65535999984,
			65536000000);
	assert_in_range(scaph_rapl_wrap_ns(SCAPH_ZONE_AT_PSYS, 2, &counter), 16383999995,
			16384000000);
	/* The longest there is does not overflow: 2^32 J. */
	counter.step_units = J;
	assert_in_range(scaph_rapl_wrap_ns(SCAPH_ZONE_AT_PACKAGE, 1, &counter), 4294967294000000,
			4294967296000000);
	counter.range = UINT64_MAX;
	assert_true(scaph_rapl_wrap_ns(SCAPH_ZONE_AT_PACKAGE, 1, &counter) == UINT64_MAX);
	counter.range = 0;
	assert_int_equal(scaph_rapl_wrap_ns(SCAPH_ZONE_AT_PACKAGE, 1, &counter), 0);
}

static void filters(void **state)
{
	struct scaph_rapl_filter filter = { .package_control = 1 };

	/* The bit counts only where both enumerate it. */
	assert_false(scaph_rapl_filtered(&filter));
	filter.capabilities = 1 << 10;
	assert_false(scaph_rapl_filtered(&filter));
	filter.capabilities = 1 << 11;
	assert_false(scaph_rapl_filtered(&filter));
	filter.capabilities = 3 << 10;
	assert_true(scaph_rapl_filtered(&filter));
	filter.package_control = 2;
	assert_false(scaph_rapl_filtered(&filter));
	/* SGX: locked and enabled. */
	filter.feature_control = 1 << 18;
	assert_false(scaph_rapl_filtered(&filter));
	filter.feature_control |= 1;
	assert_true(scaph_rapl_filtered(&filter));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers), cmocka_unit_test(units), cmocka_unit_test(server_dram),
		cmocka_unit_test(psys),	     cmocka_unit_test(atoms), cmocka_unit_test(amd),
		cmocka_unit_test(refusals),  cmocka_unit_test(dies),  cmocka_unit_test(wraps),
		cmocka_unit_test(filters),
	};

	return cmocka_run_group_tests_name("rapl", tests, NULL, NULL);
}
