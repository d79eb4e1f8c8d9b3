/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topology_file_test.c - packages as a file says, and files that say something else
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

#include "tree.h"

#define CPU "sys/devices/system/cpu/"

static struct scaph_topology topology;
static char path[96];

/* Four CPUs of one package in sysfs, of which the last is offline. */
static int setup(void **state)
{
	static struct tree tree;

	tree_make(&tree);
	tree_processor(&tree, "GenuineIntel", 6, 0x6a);
	tree_put(&tree, CPU "online", "0-2\n");
	tree_put(&tree, CPU "possible", "0-3\n");
	for (unsigned int cpu = 0; cpu < 3; cpu++)
		tree_cpu(&tree, cpu, 0, 0);
	snprintf(path, sizeof(path), "%s/file", tree.root);
	tree.config.topology = path;
	*state = &tree;
	return 0;
}

static int teardown(void **state)
{
	tree_remove(*state);
	return 0;
}

/* The heard lines are one, and have this in them. */
static void heard_line(struct tree *tree, const char *words)
{
	const char *said = tree_heard(tree), *end = strchr(said, '\n');

	if (!strstr(said, words))
		print_message("# %s\n", said);
	assert_non_null(strstr(said, words));
	assert_true(end && !end[1]);
}

static void taken(struct tree *tree, const char *text)
{
	int r;

	tree_put(tree, "file", "%s", text);
	tree_listen(tree);
	r = scaph_topology_read(&tree->config, &topology);
	heard_line(tree, "packages are as this file says");
	assert_int_equal(r, 0);
}

static void refused_as_it_is(struct tree *tree, const char *words)
{
	int descriptors = tree_descriptors(), r;

	memset(&topology, 0x5a, sizeof(topology));
	tree_listen(tree);
	r = scaph_topology_read(&tree->config, &topology);
	heard_line(tree, words);
	assert_true(r < 0);
	assert_int_equal(topology.packages, 0x5a5a5a5a);
	assert_int_equal(tree_descriptors(), descriptors);
}

static void refused(struct tree *tree, const char *text, const char *words)
{
	tree_put(tree, "file", "%s", text);
	refused_as_it_is(tree, words);
}

static void two_of_one(void **state)
{
	struct tree *tree = *state;

	taken(tree, "# two of one\n\npackage 7 = 1\n  package\t3=0,2-3 # the offline one too\n");
	assert_int_equal(topology.packages, 2);
	assert_int_equal(topology.package[0].package_id, 3);
	assert_int_equal(topology.package[0].cpus, 2);
	assert_int_equal(topology.package[1].package_id, 7);
	assert_int_equal(topology.package_of[0], 0);
	assert_int_equal(topology.package_of[1], 1);
	assert_int_equal(topology.package_of[2], 0);
	assert_int_equal(topology.package_of[3], SCAPH_PACKAGE_NONE);
	assert_int_equal(topology.online, 3);
	assert_int_equal(topology.cpus, 4);
	/* A package's list may be continued, and the last line may have no end. */
	taken(tree, "package 0 = 0\npackage 1 = 1\npackage 0 = 2");
	assert_int_equal(topology.packages, 2);
	assert_int_equal(topology.package[0].cpus, 2);
}

/* sysfs' own ids are not looked at, so they need not be there; dies have no part in it. */
static void instead_of_sysfs(void **state)
{
	struct tree *tree = *state;

	tree_processor(tree, "GenuineIntel", 6, 0x55);
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		char folder[64];

		snprintf(folder, sizeof(folder), CPU "cpu%u", cpu);
		tree_drop(tree, folder);
	}
	taken(tree, "package 0 = 0-2\n");
	assert_int_equal(topology.packages, 1);
	assert_int_equal(topology.package[0].die_id, 0);
}

static void wrong_cpus(void **state)
{
	struct tree *tree = *state;

	refused(tree, "package 0 = 0-2\npackage 1 = 4\n", "this machine has no CPU 4");
	refused(tree, "package 0 = 0\npackage 1 = 1\n", "CPU 2 is online and of no package");
	refused(tree, "package 0 = 0-2\npackage 1 = 2\n", "file:2: CPU 2 is named twice");
	refused(tree, "package 0 = 0,0\n", "CPU 1 is online");
	refused(tree, "package 0 = 4096\n", "no CPU of such a number");
	refused(tree, "", "names no CPU");
	refused(tree, "# nothing\n\n", "names no CPU");
}

static void garbage(void **state)
{
	static const struct {
		const char *text, *words;
	} wrong[] = {
		{ "package 0 =\n", "no list of CPUs" },
		{ "package 0 = \n", "no list of CPUs" },
		{ "package 0 = 0-\n", "no list of CPUs" },
		{ "package 0 = 0 1 2\n", "no list of CPUs" },
		{ "package 0 = (null)\n", "no list of CPUs" },
		{ "package 0 = -1\n", "no list of CPUs" },
		{ "package x = 0\n", "id is no number" },
		{ "package 4294967295 = 0\n", "id is no number" },
		{ "package 99999999999999999999 = 0\n", "id is no number" },
		{ "package = 0\n", "no line of a topology" },
		{ "socket 0 = 0\n", "no line of a topology" },
		{ "package 0 0 = 0\n", "no line of a topology" },
		{ "= 0\n", "no line of a topology" },
		{ "0-2\n", "no line of a topology" },
		{ "\x7f"
		  "ELF\x02\x01\x01\n",
		  "no line of a topology" },
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refused(tree, wrong[i].text, wrong[i].words);
	tree_put(tree, "file", "package 0 = 0-2\n%c\n", 0);
	refused_as_it_is(tree, "file:2: a NUL byte");
}

static void no_file(void **state)
{
	struct tree *tree = *state;

	refused_as_it_is(tree, "topology ");
	assert_int_equal(mkdir(path, 0755), 0);
	refused_as_it_is(tree, "Is a directory");
	tree_drop(tree, "file");
	assert_int_equal(mkfifo(path, 0644), 0);
	refused_as_it_is(tree, "no ordinary file");
	tree_drop(tree, "file");
	/* One line that goes on and on. */
	tree_put(tree, "file", "package 0 = 0-2");
	assert_int_equal(truncate(path, 2 << 20), 0);
	refused_as_it_is(tree, "File too large");
}

static void many(void **state)
{
	struct tree *tree = *state;
	char text[1024] = "";
	size_t used = 0;

	tree_put(tree, CPU "online", "0-16\n");
	tree_put(tree, CPU "possible", "0-16\n");
	for (unsigned int cpu = 0; cpu <= SCAPH_PACKAGES_MAX; cpu++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "package %u = %u\n", cpu,
					 cpu);
	tree_put(tree, "file", "%s", text);
	tree_listen(tree);
	assert_true(scaph_topology_read(&tree->config, &topology) < 0);
	assert_non_null(strstr(tree_heard(tree), "more than 16 packages"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_of_one), TEST(instead_of_sysfs), TEST(wrong_cpus),
		TEST(garbage),	  TEST(no_file),	  TEST(many),
	};

	return cmocka_run_group_tests_name("topology file", tests, NULL, NULL);
}
