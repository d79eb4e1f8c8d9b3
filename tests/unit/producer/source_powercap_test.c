/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_powercap_test.c - zones in a tree of files, in no order, and trees that do not fit
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

#define CPUS "sys/devices/system/cpu/"
#define ROOT "sys/class/powercap/"
#define RANGE "262143328850"

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
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		tree_cpu(tree, cpu, cpu % 2 ? 3 : 7, 0);
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

static void zone(struct machine *machine, const char *folder, const char *name, uint64_t value,
		 uint64_t step)
{
	char path[128];

	snprintf(path, sizeof(path), ROOT "%s/name", folder);
	tree_put(&machine->tree, path, "%s\n", name);
	snprintf(path, sizeof(path), ROOT "%s/max_energy_range_uj", folder);
	tree_put(&machine->tree, path, RANGE "\n");
	snprintf(path, sizeof(path), ROOT "%s/energy_uj", folder);
	ticker_text(&machine->ticker, &machine->tree, path, value, step);
}

static int open_source(struct machine *machine)
{
	int r;

	source = NULL;
	memset(why, 0, sizeof(why));
	ticker_start(&machine->ticker);
	r = scaph_source_powercap.open(&machine->tree.config, &topology, NULL, &source, why);
	ticker_stop(&machine->ticker);
	return r;
}

static void opened(struct machine *machine)
{
	int r = open_source(machine);

	if (r)
		print_message("# %s\n", why);
	assert_int_equal(r, 0);
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

static uint64_t value_of(uint32_t package, int at)
{
	uint64_t raw[SCAPH_ZONES] = {};

	assert_int_equal(source->ops->read(source, package, 0, raw), 0);
	return raw[at];
}

/* Two packages as the kernel may number them: the second first, psys between, zones shuffled. */
static void make_two(struct machine *machine)
{
	zone(machine, "intel-rapl:2", "package-3", 3000000, 30);
	zone(machine, "intel-rapl:2:1", "core", 3100000, 31);
	zone(machine, "intel-rapl:2:0", "dram", 3200000, 32);
	zone(machine, "intel-rapl:0", "package-7", 7000000, 70);
	zone(machine, "intel-rapl:0:0", "core", 7100000, 71);
	zone(machine, "intel-rapl:0:1", "dram", 7200000, 72);
	zone(machine, "intel-rapl:1", "psys", 9000000, 90);
	zone(machine, "intel-rapl-mmio:0", "package-3", 1, 1);
	tree_put(&machine->tree, ROOT "intel-rapl/enabled", "1\n");
	tree_put(&machine->tree, ROOT "dtpm/name", "dtpm\n");
}

static void by_name(void **state)
{
	struct machine *machine = *state;

	make_two(machine);
	opened(machine);
	assert_int_equal(source->packages, 2);
	assert_int_equal(source->zones,
			 SCAPH_ZONE_PACKAGE | SCAPH_ZONE_CORE | SCAPH_ZONE_DRAM | SCAPH_ZONE_PSYS);
	assert_string_equal(source->about, "2 packages");
	assert_int_equal(value_of(0, SCAPH_ZONE_AT_PACKAGE) / 100000, 30);
	assert_int_equal(value_of(0, SCAPH_ZONE_AT_CORE) / 100000, 31);
	assert_int_equal(value_of(0, SCAPH_ZONE_AT_DRAM) / 100000, 32);
	assert_int_equal(value_of(0, SCAPH_ZONE_AT_PSYS) / 100000, 90);
	assert_int_equal(value_of(1, SCAPH_ZONE_AT_PACKAGE) / 100000, 70);
	assert_int_equal(value_of(1, SCAPH_ZONE_AT_DRAM) / 100000, 72);
	assert_false(source->package[1].zones & SCAPH_ZONE_PSYS);
	for (int at = 0; at < SCAPH_ZONES; at++) {
		if (!(source->zones & 1U << at))
			continue;
		assert_true(source->package[0].counter[at].range == 262143328850);
		assert_true(source->package[0].counter[at].step_units == UINT64_C(1) << 32);
	}
	/* 262 kJ at 2 x 2000 W, for psys wraps first. */
	assert_in_range(source->wrap_ns, 65 * SCAPH_NS_PER_S, 66 * SCAPH_NS_PER_S);
	source->ops->close(source);
}

/* Only nested, as some trees have them; and both, with links, as the kernel does. */
static void nested(void **state)
{
	struct machine *machine = *state;
	char from[128], to[128];

	zone(machine, "intel-rapl/intel-rapl:0", "package-7", 7000000, 70);
	zone(machine, "intel-rapl/intel-rapl:0/intel-rapl:0:0", "dram", 7200000, 72);
	zone(machine, "intel-rapl/intel-rapl:1", "package-3", 3000000, 30);
	zone(machine, "intel-rapl/intel-rapl:1/intel-rapl:1:0", "dram", 3200000, 32);
	for (int round = 0; round < 2; round++) {
		opened(machine);
		assert_int_equal(source->zones, SCAPH_ZONE_PACKAGE | SCAPH_ZONE_DRAM);
		assert_int_equal(value_of(0, SCAPH_ZONE_AT_DRAM) / 100000, 32);
		assert_int_equal(value_of(1, SCAPH_ZONE_AT_DRAM) / 100000, 72);
		source->ops->close(source);
		if (round)
			break;
		for (int i = 0; i < 2; i++) {
			snprintf(from, sizeof(from), "%s/class/powercap/intel-rapl:%d",
				 machine->tree.sysfs, i);
			snprintf(to, sizeof(to), "intel-rapl/intel-rapl:%d", i);
			assert_int_equal(symlink(to, from), 0);
			snprintf(from, sizeof(from), "%s/class/powercap/intel-rapl:%d:0",
				 machine->tree.sysfs, i);
			snprintf(to, sizeof(to), "intel-rapl/intel-rapl:%d/intel-rapl:%d:0", i, i);
			assert_int_equal(symlink(to, from), 0);
		}
	}
}

static void halves(void **state)
{
	struct machine *machine = *state;

	refused(machine, "modprobe intel_rapl_msr");
	tree_put(&machine->tree, ROOT "intel-rapl/enabled", "1\n");
	refused(machine, "modprobe intel_rapl_msr");
	zone(machine, "intel-rapl:0", "package-7", 7000000, 70);
	refused(machine, "half a topology: no zone is named for package 3");
	zone(machine, "intel-rapl:1", "package-3", 3000000, 30);
	zone(machine, "intel-rapl:2", "package-4", 4000000, 40);
	refused(machine, "half a topology: zone package-4 (intel-rapl:2)");
	tree_put(&machine->tree, ROOT "intel-rapl:2/name", "package-3\n");
	refused(machine, "two zones are named package-3");
	tree_put(&machine->tree, ROOT "intel-rapl:2/name", "package-3-die-1\n");
	refused(machine, "half a topology: zone package-3-die-1");
	/* What is no name of a package is none. */
	tree_put(&machine->tree, ROOT "intel-rapl:2/name", "package-3x\n");
	opened(machine);
	assert_int_equal(source->zones, SCAPH_ZONE_PACKAGE);
	source->ops->close(source);
}

static void broken(void **state)
{
	struct machine *machine = *state;

	make_two(machine);
	tree_put(&machine->tree, ROOT "intel-rapl:0/max_energy_range_uj", "0\n");
	refused(machine, "intel-rapl:0/max_energy_range_uj: no number above 0");
	tree_put(&machine->tree, ROOT "intel-rapl:0/max_energy_range_uj", RANGE "\n");
	tree_drop(&machine->tree, ROOT "intel-rapl:0/energy_uj");
	refused(machine, "intel-rapl:0/energy_uj: No such file or directory");
	tree_drop(&machine->tree, ROOT "intel-rapl:2/name");
	refused(machine, "intel-rapl:2/name: No such file or directory");
}

static void does_not_count(void **state)
{
	struct machine *machine = *state;

	zone(machine, "intel-rapl:0", "package-7", 7000000, 70);
	zone(machine, "intel-rapl:1", "package-3", 3000000, 30);
	zone(machine, "intel-rapl:0:0", "dram", 0, 0);
	zone(machine, "intel-rapl:1:0", "dram", 0, 0);
	opened(machine);
	assert_int_equal(source->zones, SCAPH_ZONE_PACKAGE);
	assert_non_null(strstr(source->about, "(dram: not counting)"));
	source->ops->close(source);
	/* It moves once more, to where it then stands. */
	machine->ticker.counter[1].step = 0;
	ticker_start(&machine->ticker);
	ticker_stop(&machine->ticker);
	refused(machine, "package 3 stands still");
}

/* A zone that is taken away is an error of the reading, not a 0. */
static void vanishes(void **state)
{
	struct machine *machine = *state;
	uint64_t raw[SCAPH_ZONES] = {};

	make_two(machine);
	opened(machine);
	tree_put(&machine->tree, ROOT "intel-rapl:2:0/energy_uj", "%s", "");
	assert_true(source->ops->read(source, 0, 0, raw) < 0);
	assert_int_equal(source->ops->read(source, 1, 0, raw), 0);
	tree_put(&machine->tree, ROOT "intel-rapl:2:0/energy_uj", "12 uJ\n");
	assert_true(source->ops->read(source, 0, 0, raw) < 0);
	tree_put(&machine->tree, ROOT "intel-rapl:2:0/energy_uj", "12\n");
	assert_int_equal(value_of(0, SCAPH_ZONE_AT_DRAM), 12);
	source->ops->close(source);
}

/* Each die shows its package's energy, and core is one core's. */
static void amd(void **state)
{
	struct machine *machine = *state;

	tree_processor(&machine->tree, "AuthenticAMD", 0x17, 1);
	tree_topology(&machine->tree, &topology);
	zone(machine, "intel-rapl:0", "package-3-die-0", 3000000, 30);
	zone(machine, "intel-rapl:0:0", "core", 3100000, 31);
	zone(machine, "intel-rapl:1", "package-3-die-1", 3000000, 30);
	zone(machine, "intel-rapl:1:0", "core", 3100000, 31);
	zone(machine, "intel-rapl:2", "package-7-die-1", 7000000, 70);
	opened(machine);
	assert_int_equal(source->packages, 2);
	assert_int_equal(source->zones, SCAPH_ZONE_PACKAGE);
	assert_int_equal(value_of(0, SCAPH_ZONE_AT_PACKAGE) / 100000, 30);
	assert_int_equal(value_of(1, SCAPH_ZONE_AT_PACKAGE) / 100000, 70);
	source->ops->close(source);
}

/* Cascade Lake-AP: dies are what counts. */
static void dies(void **state)
{
	struct machine *machine = *state;

	tree_processor(&machine->tree, "GenuineIntel", 6, 0x55);
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		tree_cpu(&machine->tree, cpu, 0, (int)cpu % 2);
	tree_topology(&machine->tree, &topology);
	assert_int_equal(topology.packages, 2);
	zone(machine, "intel-rapl:0", "package-0-die-1", 1000000, 10);
	refused(machine, "no zone is named for package 0 die 0");
	zone(machine, "intel-rapl:1", "package-0-die-0", 2000000, 20);
	opened(machine);
	assert_int_equal(value_of(0, SCAPH_ZONE_AT_PACKAGE) / 100000, 20);
	assert_int_equal(value_of(1, SCAPH_ZONE_AT_PACKAGE) / 100000, 10);
	source->ops->close(source);
}

static int open_without_rights(struct tree *tree)
{
	int r = scaph_source_powercap.open(&tree->config, &topology, NULL, &source, why);

	return !(r == -EACCES && strstr(why, "energy_uj: Permission denied: start scaphd as root"));
}

static void no_rights(void **state)
{
	struct machine *machine = *state;
	char path[128];

	zone(machine, "intel-rapl:0", "package-7", 7000000, 70);
	zone(machine, "intel-rapl:1", "package-3", 3000000, 30);
	snprintf(path, sizeof(path), "%s/class/powercap/intel-rapl:0/energy_uj",
		 machine->tree.sysfs);
	assert_int_equal(chmod(path, geteuid() ? 0 : 0400), 0);
	assert_int_equal(tree_as_nobody(open_without_rights, &machine->tree), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_name),	TEST(nested), TEST(halves), TEST(broken),    TEST(does_not_count),
		TEST(vanishes), TEST(amd),    TEST(dies),   TEST(no_rights),
	};

	return cmocka_run_group_tests_name("source powercap", tests, NULL, NULL);
}
