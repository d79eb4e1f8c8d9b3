/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_msr_test.c - the registers of a machine of sparse files, whose counters a thread moves
 */
#include <errno.h>
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
#include "producer/source/source.h"
#include "ticker.h"

#define J (UINT64_C(1000000) << 32)
#define UNIT 0xa0e03U /* 2^-14 J */
#define CPUS "sys/devices/system/cpu/"

/* Ice Lake-SP, package 7 on CPUs 0 and 2, package 3 on CPUs 1 and 3. */
static const unsigned int cpus_of_3[2] = { 1, 3 }, cpus_of_7[2] = { 0, 2 };

static struct scaph_topology topology;
static struct scaph_source *source;
static char why[SCAPH_SOURCE_WHY_BYTES];

struct machine {
	struct tree tree;
	struct ticker ticker;
	int descriptors;
};

static int setup(void **state)
{
	static struct machine machine;
	struct tree *tree = &machine.tree;

	tree_make(tree);
	tree_processor(tree, "GenuineIntel", 6, 0x6a);
	tree_put(tree, CPUS "online", "0-3\n");
	for (unsigned int cpu = 0; cpu < 4; cpu++) {
		tree_cpu(tree, cpu, cpu % 2 ? 3 : 7, 0);
		tree_msr(tree, cpu, 0x606, UNIT);
	}
	tree_topology(tree, &topology);
	ticker_init(&machine.ticker);
	machine.descriptors = tree_descriptors();
	*state = &machine;
	return 0;
}

static int teardown(void **state)
{
	struct machine *machine = *state;

	assert_int_equal(tree_descriptors(), machine->descriptors);
	tree_remove(&machine->tree);
	return 0;
}

static int open_source(struct machine *machine)
{
	source = NULL;
	memset(why, 0, sizeof(why));
	return scaph_source_msr.open(&machine->tree.config, &topology, NULL, &source, why);
}

static void close_source(void)
{
	source->ops->close(source);
}

static void refused(struct machine *machine, const char *words)
{
	int r = open_source(machine);

	assert_true(r < 0);
	assert_null(source);
	if (!strstr(why, words))
		print_message("# %s\n", why);
	assert_non_null(strstr(why, words));
	assert_null(strchr(why, '\n'));
	assert_true(strlen(why) < SCAPH_SOURCE_WHY_BYTES - 1);
}

static uint64_t value_of(uint32_t package, int zone)
{
	uint64_t raw[SCAPH_ZONES] = {};

	assert_int_equal(source->ops->read(source, package, scaph_clock_ns(CLOCK_MONOTONIC), raw),
			 0);
	return raw[zone];
}

static void count_both(struct machine *machine, uint32_t msr, uint64_t value, uint64_t step)
{
	ticker_msr(&machine->ticker, &machine->tree, cpus_of_3, msr, value, step);
	ticker_msr(&machine->ticker, &machine->tree, cpus_of_7, msr, value + 1000, step);
}

static void counts(void **state)
{
	struct machine *machine = *state;
	uint64_t before, after;

	count_both(machine, 0x611, 5000, 16);
	count_both(machine, 0x619, 100, 3);
	count_both(machine, 0x639, 77, 0);
	ticker_start(&machine->ticker);
	assert_int_equal(open_source(machine), 0);
	assert_int_equal(source->packages, 2);
	assert_false(source->estimated || source->filtered || source->idle_known);
	/* Cores stand still: they are left out, not shown as 0 W. */
	assert_int_equal(source->zones, SCAPH_ZONE_PACKAGE | SCAPH_ZONE_DRAM);
	assert_int_equal(source->package[1].zones, SCAPH_ZONE_PACKAGE | SCAPH_ZONE_DRAM);
	assert_string_equal(source->about, "2 packages (core: not counting)");
	for (int i = 0; i < 2; i++) {
		const struct scaph_source_counter *counter = source->package[i].counter;

		assert_true(counter[SCAPH_ZONE_AT_PACKAGE].step_units == J >> 14);
		assert_true(counter[SCAPH_ZONE_AT_DRAM].step_units == J >> 16);
		assert_true(counter[SCAPH_ZONE_AT_DRAM].range == UINT32_MAX);
	}
	/* dram wraps first: 65536 J at 1000 W. */
	assert_in_range(source->wrap_ns, 65 * SCAPH_NS_PER_S, 66 * SCAPH_NS_PER_S);
	before = value_of(0, SCAPH_ZONE_AT_PACKAGE);
	assert_in_range(before, 5001, 100000);
	usleep(20000);
	after = value_of(0, SCAPH_ZONE_AT_PACKAGE);
	assert_in_range(after, before + 16, before + 100000);
	ticker_stop(&machine->ticker);
	/* The second package of the topology is number 7. */
	tree_msr(&machine->tree, 0, 0x611, 0xffffffff00000009ULL);
	assert_int_equal(value_of(1, SCAPH_ZONE_AT_PACKAGE), 9);
	close_source();
}

/* Any CPU of a package will do, and its counter is the same one. */
static void goes_offline(void **state)
{
	struct machine *machine = *state;
	uint64_t raw[SCAPH_ZONES], before;

	count_both(machine, 0x611, 5000, 16);
	ticker_start(&machine->ticker);
	assert_int_equal(open_source(machine), 0);
	ticker_stop(&machine->ticker);
	before = value_of(0, SCAPH_ZONE_AT_PACKAGE);
	tree_put(&machine->tree, "msr/1/msr", "%s", "");
	assert_int_equal(value_of(0, SCAPH_ZONE_AT_PACKAGE), before);
	tree_put(&machine->tree, "msr/3/msr", "%s", "");
	assert_true(source->ops->read(source, 0, 0, raw) < 0);
	/* The other package does not mind, and this one comes back where it was. */
	assert_in_range(value_of(1, SCAPH_ZONE_AT_PACKAGE), 6001, 100000);
	tree_msr(&machine->tree, 1, 0x611, before + 5);
	assert_int_equal(value_of(0, SCAPH_ZONE_AT_PACKAGE), before + 5);
	close_source();
}

/* The CPU that is read is one that may be woken. */
static void prefers_loud(void **state)
{
	struct machine *machine = *state;

	tree_put(&machine->tree, CPUS "isolated", "0-1\n");
	tree_topology(&machine->tree, &topology);
	count_both(machine, 0x611, 5000, 16);
	ticker_start(&machine->ticker);
	assert_int_equal(open_source(machine), 0);
	ticker_stop(&machine->ticker);
	tree_msr(&machine->tree, 1, 0x611, 111);
	tree_msr(&machine->tree, 3, 0x611, 333);
	assert_int_equal(value_of(0, SCAPH_ZONE_AT_PACKAGE), 333);
	close_source();
}

static void stands_still(void **state)
{
	struct machine *machine = *state;

	ticker_msr(&machine->ticker, &machine->tree, cpus_of_3, 0x611, 5000, 16);
	ticker_msr(&machine->ticker, &machine->tree, cpus_of_7, 0x611, 6000, 0);
	ticker_start(&machine->ticker);
	refused(machine, "package 7 stands still at 6000");
	ticker_stop(&machine->ticker);
}

static void reads_0(void **state)
{
	struct machine *machine = *state;

	ticker_msr(&machine->ticker, &machine->tree, cpus_of_3, 0x611, 5000, 16);
	ticker_msr(&machine->ticker, &machine->tree, cpus_of_7, 0x611, 0, 0);
	ticker_start(&machine->ticker);
	refused(machine, "package 7 reads 0");
	refused(machine, "virtual machine");
	ticker_stop(&machine->ticker);
}

/* A zone that one package lacks is not the machine's; psys is looked for in the first alone. */
static void half_zones(void **state)
{
	struct machine *machine = *state;

	tree_processor(&machine->tree, "GenuineIntel", 6, 0x8f);
	tree_topology(&machine->tree, &topology);
	count_both(machine, 0x611, 5000, 16);
	count_both(machine, 0x64d, 50, 1);
	ticker_msr(&machine->ticker, &machine->tree, cpus_of_3, 0x619, 100, 2);
	ticker_msr(&machine->ticker, &machine->tree, cpus_of_7, 0x619, 0, 0);
	ticker_start(&machine->ticker);
	assert_int_equal(open_source(machine), 0);
	ticker_stop(&machine->ticker);
	assert_int_equal(source->zones, SCAPH_ZONE_PACKAGE | SCAPH_ZONE_PSYS);
	assert_int_equal(source->package[0].zones,
			 SCAPH_ZONE_PACKAGE | SCAPH_ZONE_DRAM | SCAPH_ZONE_PSYS);
	assert_int_equal(source->package[1].zones, SCAPH_ZONE_PACKAGE);
	assert_true(source->package[0].counter[SCAPH_ZONE_AT_PSYS].step_units == J);
	assert_true(source->package[0].counter[SCAPH_ZONE_AT_DRAM].step_units == J >> 14);
	close_source();
}

static void amd(void **state)
{
	struct machine *machine = *state;

	tree_processor(&machine->tree, "AuthenticAMD", 0x19, 1);
	tree_topology(&machine->tree, &topology);
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		tree_msr(&machine->tree, cpu, 0xc0010299, 0xa1003);
	/* In a file these two overlap, but not in the bits that are used. */
	count_both(machine, 0xc001029b, 5000, 16);
	ticker_start(&machine->ticker);
	assert_int_equal(open_source(machine), 0);
	ticker_stop(&machine->ticker);
	assert_int_equal(source->zones, SCAPH_ZONE_PACKAGE);
	assert_true(source->package[0].counter[SCAPH_ZONE_AT_PACKAGE].step_units == J >> 16);
	assert_in_range(value_of(0, SCAPH_ZONE_AT_PACKAGE), 5001, 100000);
	close_source();
}

static void filtered(void **state)
{
	struct machine *machine = *state;

	count_both(machine, 0x611, 5000, 16);
	for (unsigned int cpu = 0; cpu < 4; cpu++) {
		tree_msr(&machine->tree, cpu, 0x10a, 3 << 10);
		tree_msr(&machine->tree, cpu, 0xbc, 1);
	}
	ticker_start(&machine->ticker);
	assert_int_equal(open_source(machine), 0);
	ticker_stop(&machine->ticker);
	assert_true(source->filtered);
	close_source();
}

static void no_unit(void **state)
{
	struct machine *machine = *state;

	count_both(machine, 0x611, 5000, 16);
	tree_msr(&machine->tree, 0, 0x606, 0);
	refused(machine, "0x606 of package 7 tells no unit");
	tree_put(&machine->tree, "msr/0/msr", "%s", "");
	tree_put(&machine->tree, "msr/2/msr", "%s", "");
	refused(machine, "0x606 of package 7 cannot be read");
}

static void no_counter(void **state)
{
	struct machine *machine = *state;

	/* The files end behind the unit register, as if there were nothing beyond. */
	refused(machine, "0x611 of package 3 cannot be read");
}

static void no_driver(void **state)
{
	struct machine *machine = *state;

	count_both(machine, 0x611, 5000, 16);
	ticker_start(&machine->ticker);
	/* One CPU of a package is enough. */
	tree_drop(&machine->tree, "msr/0");
	assert_int_equal(open_source(machine), 0);
	close_source();
	tree_drop(&machine->tree, "msr/2");
	refused(machine, "/0/msr: No such file or directory: load the kernel's driver with "
			 "modprobe msr");
	ticker_stop(&machine->ticker);
}

static int open_without_rights(struct tree *tree)
{
	int r = scaph_source_msr.open(&tree->config, &topology, NULL, &source, why);

	return !(r == -EACCES && strstr(why, "/msr: Permission denied") &&
		 strstr(why, "CAP_SYS_RAWIO"));
}

static void no_rights(void **state)
{
	struct machine *machine = *state;
	char path[128];

	count_both(machine, 0x611, 5000, 16);
	for (unsigned int cpu = 0; cpu < 4; cpu++) {
		snprintf(path, sizeof(path), "%s/%u/msr", machine->tree.msr, cpu);
		assert_int_equal(chmod(path, geteuid() ? 0 : 0600), 0);
	}
	assert_int_equal(tree_as_nobody(open_without_rights, &machine->tree), 0);
}

static void not_for_msr(void **state)
{
	struct machine *machine = *state;

	tree_processor(&machine->tree, "GenuineIntel", 6, 0xad);
	tree_topology(&machine->tree, &topology);
	refused(machine, "TPMI: use --source powercap or perf");
	assert_true(scaph_source_msr.open(&machine->tree.config, &topology, "x", &source, why) < 0);
	assert_non_null(strstr(why, "behind msr"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts),	   TEST(goes_offline), TEST(prefers_loud), TEST(stands_still),
		TEST(reads_0),	   TEST(half_zones),   TEST(amd),	   TEST(filtered),
		TEST(no_unit),	   TEST(no_counter),   TEST(no_driver),	   TEST(no_rights),
		TEST(not_for_msr),
	};

	return cmocka_run_group_tests_name("source msr", tests, NULL, NULL);
}
