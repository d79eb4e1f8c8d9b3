/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topology_test.c - machines of files: which packages are found, and what is refused
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/machine/attribute.h"
#include "tree.h"

#define CPU "sys/devices/system/cpu/"

static struct scaph_topology topology;

static int setup(void **state)
{
	static struct tree tree;

	tree_make(&tree);
	tree_processor(&tree, "GenuineIntel", 6, 0x6a);
	*state = &tree;
	return 0;
}

static int teardown(void **state)
{
	tree_remove(*state);
	return 0;
}

/* Refused with one line that has this in it, and nothing is set. */
static void refused(struct tree *tree, const char *words)
{
	const char *said, *end;
	int r;

	memset(&topology, 0x5a, sizeof(topology));
	tree_listen(tree);
	r = scaph_topology_read(&tree->config, &topology);
	said = tree_heard(tree);
	assert_true(r < 0);
	assert_int_equal(topology.packages, 0x5a5a5a5a);
	assert_non_null(strstr(said, words));
	end = strchr(said, '\n');
	assert_true(end && !end[1]);
}

static void ordinary(void **state)
{
	struct tree *tree = *state;

	tree_put(tree, CPU "online", "0-3\n");
	tree_put(tree, CPU "possible", "0-7\n");
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		tree_cpu(tree, cpu, cpu >= 2, -1);
	tree_topology(tree, &topology);
	assert_int_equal(topology.vendor, SCAPH_VENDOR_INTEL);
	assert_int_equal(topology.family, 6);
	assert_int_equal(topology.model, 0x6a);
	assert_int_equal(topology.cpus, 8);
	assert_int_equal(topology.online, 4);
	assert_int_equal(topology.packages, 2);
	assert_int_equal(topology.package[0].cpus, 2);
	assert_int_equal(topology.package_of[1], 0);
	assert_int_equal(topology.package_of[2], 1);
	assert_int_equal(topology.package_of[4], SCAPH_PACKAGE_NONE);
	assert_int_equal(topology.package_of[SCAPH_CPUS_MAX - 1], SCAPH_PACKAGE_NONE);
	assert_int_equal(scaph_topology_cpu_for(&topology, 1), 2);
	assert_int_equal(scaph_topology_cpu_for(&topology, 2), -1);
}

/* Ids are names, not indices: sparse, in no order of CPUs, and large. */
static void sparse(void **state)
{
	static const int package[] = { 7, 3, 7, 3, 4000000, 7 };
	struct tree *tree = *state;
	char name[SCAPH_PACKAGE_NAME_BYTES];

	tree_put(tree, CPU "online", "0-5\n");
	for (unsigned int cpu = 0; cpu < 6; cpu++)
		tree_cpu(tree, cpu, package[cpu], 0);
	tree_topology(tree, &topology);
	assert_int_equal(topology.cpus, 6);
	assert_int_equal(topology.packages, 3);
	assert_int_equal(topology.package[0].package_id, 3);
	assert_int_equal(topology.package[1].package_id, 7);
	assert_int_equal(topology.package[1].cpus, 3);
	assert_int_equal(topology.package[2].package_id, 4000000);
	assert_int_equal(topology.package_of[0], 1);
	assert_int_equal(topology.package_of[3], 0);
	assert_int_equal(topology.package_of[4], 2);
	scaph_topology_name(&topology, 1, name);
	assert_string_equal(name, "package 7");
}

/* Dies count for themselves on Cascade Lake-AP, and nowhere else. */
static void dies(void **state)
{
	struct tree *tree = *state;
	char name[SCAPH_PACKAGE_NAME_BYTES];

	tree_put(tree, CPU "online", "0-3\n");
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		tree_cpu(tree, cpu, cpu / 2, cpu % 2);
	tree_topology(tree, &topology);
	assert_int_equal(topology.packages, 2);
	tree_processor(tree, "AuthenticAMD", 0x17, 1);
	tree_topology(tree, &topology);
	assert_int_equal(topology.vendor, SCAPH_VENDOR_AMD);
	assert_int_equal(topology.packages, 2);
	tree_processor(tree, "GenuineIntel", 6, 0x55);
	tree_topology(tree, &topology);
	assert_int_equal(topology.packages, 4);
	assert_int_equal(topology.package[1].package_id, 0);
	assert_int_equal(topology.package[1].die_id, 1);
	assert_int_equal(topology.package_of[2], 2);
	scaph_topology_name(&topology, 3, name);
	assert_string_equal(name, "package 1 die 1");
	/* As a kernel before 5.2 shows it. */
	for (unsigned int cpu = 0; cpu < 4; cpu++) {
		char path[64];

		snprintf(path, sizeof(path), CPU "cpu%u/topology/die_id", cpu);
		tree_drop(tree, path);
	}
	tree_topology(tree, &topology);
	assert_int_equal(topology.packages, 2);
}

/* CPU 0 is offline, and 2: they have no topology and no package. */
static void offline(void **state)
{
	struct tree *tree = *state;

	tree_put(tree, CPU "online", "1,3\n");
	tree_put(tree, CPU "possible", "0-3\n");
	tree_cpu(tree, 1, 0, 0);
	tree_cpu(tree, 3, 1, 0);
	tree_topology(tree, &topology);
	assert_int_equal(topology.model, 0x6a);
	assert_int_equal(topology.online, 2);
	assert_int_equal(topology.cpus, 4);
	assert_int_equal(topology.package_of[0], SCAPH_PACKAGE_NONE);
	assert_int_equal(topology.package_of[3], 1);
	assert_int_equal(scaph_topology_cpu_for(&topology, 0), 1);
}

static void quiet(void **state)
{
	struct tree *tree = *state;

	tree_put(tree, CPU "online", "0-5\n");
	for (unsigned int cpu = 0; cpu < 6; cpu++)
		tree_cpu(tree, cpu, cpu / 3, 0);
	tree_put(tree, CPU "isolated", "0,3-5\n");
	tree_put(tree, CPU "nohz_full", "1\n");
	tree_topology(tree, &topology);
	assert_true(topology.quiet[0] && topology.quiet[1] && !topology.quiet[2]);
	assert_int_equal(scaph_topology_cpu_for(&topology, 0), 2);
	/* All are: then one of them has to do. */
	assert_int_equal(scaph_topology_cpu_for(&topology, 1), 3);
	/* As kernels show that none was given. */
	tree_put(tree, CPU "isolated", "\n");
	tree_put(tree, CPU "nohz_full", "  (null)\n");
	tree_topology(tree, &topology);
	assert_false(topology.quiet[0] || topology.quiet[1]);
}

static void halves(void **state)
{
	struct tree *tree = *state;

	refused(tree, "--sysfs");
	tree_put(tree, CPU "online", "0-1\n");
	tree_cpu(tree, 0, 0, 0);
	refused(tree, "cpu1/topology/physical_package_id: No such file or directory");
	refused(tree, "half a topology");
	tree_cpu(tree, 1, -1, 0);
	refused(tree, "half a topology");
	tree_put(tree, CPU "cpu1/topology/physical_package_id", "one\n");
	refused(tree, "no number");
	tree_put(tree, CPU "online", "\n");
	refused(tree, "lists no CPU");
	tree_put(tree, CPU "online", "0-\n");
	refused(tree, "no list of CPUs");
	tree_put(tree, CPU "online", "0-4096\n");
	refused(tree, "up to number 4095");
	tree_drop(tree, "proc");
	refused(tree, "--procfs");
}

/* A platform that numbers no packages has one. */
static void nameless(void **state)
{
	struct tree *tree = *state;

	tree_put(tree, "proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0x41\n");
	tree_put(tree, CPU "online", "0-1\n");
	tree_cpu(tree, 0, -1, -1);
	tree_cpu(tree, 1, -1, -1);
	tree_topology(tree, &topology);
	assert_int_equal(topology.vendor, SCAPH_VENDOR_OTHER);
	assert_int_equal(topology.packages, 1);
	assert_int_equal(topology.package[0].package_id, 0);
	assert_int_equal(topology.package[0].cpus, 2);
}

static void many(void **state)
{
	struct tree *tree = *state;

	tree_put(tree, CPU "online", "0-%u\n", SCAPH_PACKAGES_MAX - 1);
	for (unsigned int cpu = 0; cpu <= SCAPH_PACKAGES_MAX; cpu++)
		tree_cpu(tree, cpu, (int)(1000 - cpu), 0);
	tree_topology(tree, &topology);
	assert_int_equal(topology.packages, SCAPH_PACKAGES_MAX);
	assert_int_equal(topology.package_of[0], SCAPH_PACKAGES_MAX - 1);
	tree_put(tree, CPU "online", "0-%u\n", SCAPH_PACKAGES_MAX);
	refused(tree, "more than 16 packages");
}

static void lists(void **state)
{
	static const char *const wrong[] = { "a",   "1-",  "-1",    "1,", ",1",
					     "2-1", "1 2", "1-2-3", "0x1" };
	static bool set[SCAPH_CPUS_MAX];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(scaph_attribute_parse_cpus(wrong[i], set), -EINVAL);
	assert_int_equal(scaph_attribute_parse_cpus("4096", set), -ERANGE);
	assert_int_equal(scaph_attribute_parse_cpus("99999999999", set), -ERANGE);
	assert_int_equal(scaph_attribute_parse_cpus("0,2-3,4095", set), 0);
	assert_true(set[0] && !set[1] && set[2] && set[3] && !set[4] && set[4095]);
	assert_int_equal(scaph_attribute_parse_cpus("", set), 0);
	assert_false(set[0] || set[4095]);
}

/* This machine's own. */
static void here(void **state)
{
	struct scaph_config config = { .sysfs = (char[]){ "/sys" }, .procfs = (char[]){ "/proc" } };

	assert_int_equal(scaph_topology_read(&config, &topology), 0);
	assert_true(topology.packages >= 1 && topology.online >= 1);
	assert_true(topology.cpus >= topology.online);
	assert_true(scaph_topology_cpu_for(&topology, 0) >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ordinary, setup, teardown),
		cmocka_unit_test_setup_teardown(sparse, setup, teardown),
		cmocka_unit_test_setup_teardown(dies, setup, teardown),
		cmocka_unit_test_setup_teardown(offline, setup, teardown),
		cmocka_unit_test_setup_teardown(quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(halves, setup, teardown),
		cmocka_unit_test_setup_teardown(nameless, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
		cmocka_unit_test(lists),
		cmocka_unit_test(here),
	};

	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
