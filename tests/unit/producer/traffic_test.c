/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traffic_test.c - groups in a tree of files: whose traffic is whose, and when nothing is known
 *
 * Two packages with two L3 caches each. QEMU 100 has two vCPUs and an emulator thread, process 200
 * two threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/meter/traffic.h"
#include "tree.h"

#define CPU "sys/devices/system/cpu/"
#define CACHES 4U

static struct scaph_topology topology;
static struct scaph_traffic *traffic;
static struct scaph_traffic_part parts[3];
static uint64_t whole[SCAPH_PACKAGES_MAX];
static char why[SCAPH_TRAFFIC_WHY_BYTES], resctrl[96];

static void cache(struct tree *tree, unsigned int cpu, unsigned int id)
{
	char path[96];

	for (unsigned int index = 0; index < 4; index++) {
		snprintf(path, sizeof(path), CPU "cpu%u/cache/index%u/level", cpu, index);
		tree_put(tree, path, "%u\n", index < 2 ? 1 : index);
		snprintf(path, sizeof(path), CPU "cpu%u/cache/index%u/id", cpu, index);
		tree_put(tree, path, "%u\n", index == 3 ? id : cpu);
	}
}

static void thread(struct tree *tree, int pid, int tid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/task/%d/comm", pid, tid);
	tree_put(tree, path, "%s\n", name);
}

static void tasks(struct tree *tree, const char *group, const char *list)
{
	char path[128];

	snprintf(path, sizeof(path), "resctrl/%stasks", group);
	tree_put(tree, path, "%s", list);
}

static void counter(struct tree *tree, const char *group, unsigned int at, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "resctrl/%smon_data/mon_L3_%02u/mbm_total_bytes", group, at);
	tree_put(tree, path, "%s\n", text);
}

/* The same number in every cache of a group. */
static void counters(struct tree *tree, const char *group, uint64_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	for (unsigned int at = 0; at < CACHES; at++)
		counter(tree, group, at, text);
}

static void make_groups(struct tree *tree)
{
	tree_put(tree, "resctrl/info/L3_MON/num_rmids", "32\n");
	tasks(tree, "", "1\n2\n100\n");
	counters(tree, "", 1000000);
	tasks(tree, "mon_groups/qemu-1/", "101\n102\n");
	counters(tree, "mon_groups/qemu-1/", 5000);
	tasks(tree, "mon_groups/other/", "200\n201\n77\n");
	counters(tree, "mon_groups/other/", 7000);
}

static int setup(void **state)
{
	static struct tree tree;

	tree_make(&tree);
	tree_processor(&tree, "GenuineIntel", 6, 0x6a);
	tree_put(&tree, CPU "online", "0-3\n");
	for (unsigned int cpu = 0; cpu < 4; cpu++) {
		tree_cpu(&tree, cpu, cpu / 2 ? 9 : 4, 0);
		/* Ids are in no order of packages. */
		cache(&tree, cpu, 3 - cpu);
	}
	tree_topology(&tree, &topology);
	thread(&tree, 100, 100, "qemu-system-x86");
	thread(&tree, 100, 101, "CPU 0/KVM");
	thread(&tree, 100, 102, "CPU 1/KVM");
	thread(&tree, 200, 200, "worker");
	thread(&tree, 200, 201, "worker");
	snprintf(resctrl, sizeof(resctrl), "%s/resctrl", tree.root);
	tree.config.resctrl = resctrl;
	make_groups(&tree);
	traffic = scaph_traffic_new(&tree.config, &topology);
	assert_non_null(traffic);
	parts[0] = (struct scaph_traffic_part){ .pid = 100, .shown = "qemu" };
	parts[1] = (struct scaph_traffic_part){ .pid = 200, .shown = "other" };
	*state = &tree;
	return 0;
}

static int teardown(void **state)
{
	scaph_traffic_free(traffic);
	tree_remove(*state);
	return 0;
}

static int look(uint32_t count)
{
	int r;

	memset(whole, 0x5a, sizeof(whole));
	why[0] = '\0';
	r = scaph_traffic_look(traffic, parts, count, whole, why);
	if (r)
		assert_int_equal(whole[0], 0x5a5a5a5a5a5a5a5aULL);
	return r;
}

static void none(const char *words)
{
	assert_int_equal(look(2), SCAPH_TRAFFIC_NONE);
	if (!strstr(why, words))
		print_message("# %s\n", why);
	assert_non_null(strstr(why, words));
	assert_null(strchr(why, '\n'));
}

/* What was not known is begun anew. */
static void begins(void)
{
	assert_int_equal(look(2), SCAPH_TRAFFIC_SOON);
	assert_int_equal(look(2), 0 + SCAPH_TRAFFIC_NONE);
	assert_non_null(strstr(why, "no memory traffic"));
}

static void shares(void **state)
{
	struct tree *tree = *state;

	assert_int_equal(look(2), SCAPH_TRAFFIC_SOON);
	counters(tree, "", 1000000 + 900);
	counters(tree, "mon_groups/qemu-1/", 5000 + 300);
	/* Caches 0 and 1 are of the second package. */
	counter(tree, "mon_groups/other/", 0, "7010");
	counter(tree, "mon_groups/other/", 1, "7020");
	assert_int_equal(look(2), 0);
	assert_int_equal(parts[0].bytes[0], 600);
	assert_int_equal(parts[0].bytes[1], 600);
	assert_int_equal(parts[1].bytes[0], 0);
	assert_int_equal(parts[1].bytes[1], 30);
	assert_int_equal(whole[0], 1800);
	assert_int_equal(whole[1], 1800);
	/* Read later than the root's: there is no less than what the parts are. */
	counters(tree, "", 1000000 + 901);
	counters(tree, "mon_groups/qemu-1/", 5000 + 400);
	assert_int_equal(look(2), 0);
	assert_int_equal(parts[0].bytes[0], 200);
	assert_int_equal(whole[0], 200);
	/* With one domain less its group is nobody's, which is another owner. */
	counters(tree, "", 1000000 + 1000);
	assert_int_equal(look(1), SCAPH_TRAFFIC_SOON);
	counters(tree, "", 1000000 + 1100);
	assert_int_equal(look(1), 0);
	assert_int_equal(parts[0].bytes[0], 0);
	assert_int_equal(whole[0], 200);
}

/* A control group contains its monitoring groups, in its counters and in its list of tasks. */
static void control_groups(void **state)
{
	struct tree *tree = *state;

	tree_drop(tree, "resctrl/mon_groups/qemu-1");
	tree_drop(tree, "resctrl/mon_groups/other");
	tree_put(tree, "resctrl/mon_groups/keep", "\n");
	tasks(tree, "gold/", "101\n102\n200\n201\n");
	counters(tree, "gold/", 100);
	tasks(tree, "gold/mon_groups/inner/", "200\n201\n");
	counters(tree, "gold/mon_groups/inner/", 10);
	tasks(tree, "empty/", "");
	counters(tree, "empty/", 0);
	assert_int_equal(look(2), SCAPH_TRAFFIC_SOON);
	counters(tree, "gold/", 100 + 70);
	counters(tree, "gold/mon_groups/inner/", 10 + 20);
	counters(tree, "empty/", 5);
	counters(tree, "", 1000000 + 25);
	assert_int_equal(look(2), 0);
	assert_int_equal(parts[0].bytes[0], 100);
	assert_int_equal(parts[1].bytes[0], 40);
	assert_int_equal(whole[0], 200);
}

static void members(void **state)
{
	struct tree *tree = *state;

	begins();
	/* A vCPU that is in no group. */
	tasks(tree, "mon_groups/qemu-1/", "102\n");
	none("domain qemu is in no group of its own");
	/* Only the emulator is in one. */
	tasks(tree, "mon_groups/qemu-1/", "100\n");
	none("domain qemu is in no group");
	tasks(tree, "mon_groups/qemu-1/", "101\n102\n");
	/* No QEMU: each thread counts. */
	tasks(tree, "mon_groups/other/", "200\n");
	none("domain other is in no group");
	tasks(tree, "mon_groups/other/", "200\n201\n101\n");
	none("holds both");
	tasks(tree, "mon_groups/other/", "200\n201\nbanana\n");
	none("other/tasks: no list of tasks");
	tree_drop(tree, "resctrl/mon_groups/other/tasks");
	none("other/tasks: No such file");
	tasks(tree, "mon_groups/other/", "200\n201\n");
	tree_drop(tree, "resctrl/mon_groups/qemu-1");
	none("1 groups beside its own for 2 domains");
	make_groups(tree);
	begins();
	/* A thread that ended between the two lists counts for nothing. */
	thread(tree, 200, 202, "worker");
	none("domain other");
	tree_drop(tree, "proc/200/task/202/comm");
	begins();
	tree_drop(tree, "proc/200");
	none("domain other cannot be looked at");
	parts[1].pid = 0;
	none("domain other is a control group");
}

static void values(void **state)
{
	static const char *const words[] = {
		"Unavailable", "Error", "Unassigned", "-1", "", "12 34"
	};
	struct tree *tree = *state;

	begins();
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		counter(tree, "mon_groups/qemu-1/", 2, words[i]);
		none("mon_L3_02/mbm_total_bytes says");
		none(words[i]);
		counter(tree, "mon_groups/qemu-1/", 2, "5000");
		begins();
	}
	counter(tree, "mon_groups/qemu-1/", 2, "\x1b[31m");
	none("says ?[31m");
	tree_drop(tree, "resctrl/mon_groups/qemu-1/mon_data/mon_L3_02");
	none("mon_L3_02/mbm_total_bytes: No such file");
	make_groups(tree);
	begins();
	/* Back: another group took the number over. */
	counters(tree, "mon_groups/qemu-1/", 4999);
	assert_int_equal(look(2), SCAPH_TRAFFIC_SOON);
}

static void comes_and_goes(void **state)
{
	struct tree *tree = *state;
	char group[128], away[128];

	begins();
	tasks(tree, "mon_groups/new/", "");
	counters(tree, "mon_groups/new/", 3);
	begins();
	tree_drop(tree, "resctrl/mon_groups/new");
	begins();
	/* Made anew under its name; the old one is kept so that its inode is not used again. */
	snprintf(group, sizeof(group), "%s/mon_groups/other", resctrl);
	snprintf(away, sizeof(away), "%s/away", tree->root);
	assert_int_equal(rename(group, away), 0);
	make_groups(tree);
	begins();
	tasks(tree, "mon_groups/qemu-1/", "200\n201\n");
	tasks(tree, "mon_groups/other/", "101\n102\n");
	begins();
	tree_drop(tree, "resctrl");
	none("no resctrl with monitoring is mounted there");
	make_groups(tree);
	begins();
}

static void caches(void **state)
{
	struct tree *tree = *state;

	cache(tree, 1, 0);
	none("L3 cache 0 is of two packages");
	tree_drop(tree, CPU "cpu1/cache/index3/id");
	none("the L3 cache of CPU 1: No such file");
	tree_drop(tree, CPU "cpu1/cache");
	none("the L3 cache of CPU 1: No such file");
	cache(tree, 1, 2);
	begins();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shares), TEST(control_groups), TEST(members),
		TEST(values), TEST(comes_and_goes), TEST(caches),
	};

	return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
