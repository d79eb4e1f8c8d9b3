/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_resctrl_test.c - core energy in a tree of files: control groups that come and go, odd values
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

#include "producer/source/joules.h"
#include "producer/source/source.h"
#include "ticker.h"

#define CPUS "sys/devices/system/cpu/"

static struct scaph_topology topology;
static struct scaph_source *source;
static char why[SCAPH_SOURCE_WHY_BYTES], resctrl[96];

struct machine {
	struct tree tree;
	struct ticker ticker;
	int descriptors;
};

static void energy_path(char path[128], const char *group, unsigned int package)
{
	snprintf(path, 128, "resctrl/%smon_data/mon_PERF_PKG_%02u/core_energy", group, package);
}

static void energy(struct tree *tree, const char *group, unsigned int package, const char *text)
{
	char path[128];

	energy_path(path, group, package);
	tree_put(tree, path, "%s\n", text);
}

/* The root's count moves while it is opened; a group's stands still, as those of sleepers do. */
static int setup(void **state)
{
	static const unsigned int packages[] = { 3, 12 };
	static struct machine machine;
	struct tree *tree = &machine.tree;
	char path[128];

	tree_make(tree);
	tree_processor(tree, "GenuineIntel", 6, 0xdd);
	tree_put(tree, CPUS "online", "0-3\n");
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		tree_cpu(tree, cpu, cpu % 2 ? 12 : 3, 0);
	tree_topology(tree, &topology);
	ticker_init(&machine.ticker);
	snprintf(resctrl, sizeof(resctrl), "%s/resctrl", tree->root);
	tree->config.resctrl = resctrl;
	tree_put(tree, "resctrl/info/PERF_PKG_MON/num_rmids", "8\n");
	for (unsigned int i = 0; i < 2; i++) {
		energy_path(path, "", packages[i]);
		ticker_text(&machine.ticker, tree, path, 1000, 1);
		energy(tree, "gold/", packages[i], "7.5");
		energy(tree, "mon_groups/inner/", packages[i], "999.999999");
	}
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
	int r;

	source = NULL;
	memset(why, 0, sizeof(why));
	ticker_start(&machine->ticker);
	r = scaph_source_resctrl.open(&machine->tree.config, &topology, NULL, &source, why);
	ticker_stop(&machine->ticker);
	return r;
}

/* Opened, and the root's counts set to a round number. */
static void opened(struct machine *machine)
{
	uint64_t raw[SCAPH_ZONES];
	int r = open_source(machine);

	if (r)
		print_message("# %s\n", why);
	assert_int_equal(r, 0);
	for (uint32_t p = 0; p < 2; p++) {
		energy(&machine->tree, "", p ? 12 : 3, "5000.0");
		assert_int_equal(source->ops->read(source, p, 0, raw), 0);
	}
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
}

static uint64_t core_uj(uint32_t package, int result)
{
	uint64_t raw[SCAPH_ZONES] = { 77 };

	assert_int_equal(source->ops->read(source, package, 0, raw), result);
	assert_int_equal(raw[SCAPH_ZONE_AT_PACKAGE], 77);
	return raw[SCAPH_ZONE_AT_CORE];
}

static void core_alone(void **state)
{
	struct machine *machine = *state;
	uint64_t before;

	opened(machine);
	assert_int_equal(source->zones, SCAPH_ZONE_CORE);
	assert_int_equal(source->packages, 2);
	assert_false(scaph_source_has_package(source));
	assert_null(source->ops->peek);
	assert_int_equal(source->wrap_ns, 0);
	assert_non_null(strstr(source->about, "2 packages, energy of cores"));
	before = core_uj(1, 0);
	/* To the microjoule, of the root and the other control group; monitoring groups are in their own. */
	energy(&machine->tree, "", 12, "5000.000001");
	energy(&machine->tree, "gold/", 12, "9.25");
	energy(&machine->tree, "mon_groups/inner/", 12, "1500.5");
	assert_int_equal(core_uj(1, 0) - before, 1750001);
	assert_int_equal(core_uj(1, 0) - before, 1750001);
	source->ops->close(source);
}

/* A group may be called anything: one that `ls` does not show has its energy too. */
static void hidden_group(void **state)
{
	struct machine *machine = *state;
	uint64_t before;

	energy(&machine->tree, ".hidden/", 3, "1.0");
	energy(&machine->tree, ".hidden/", 12, "1.0");
	opened(machine);
	before = core_uj(0, 0);
	energy(&machine->tree, ".hidden/", 3, "3.5");
	assert_int_equal(core_uj(0, 0) - before, 2500000);
	source->ops->close(source);
}

/* What was between is not known, and nothing is invented for it. */
static void groups_come_and_go(void **state)
{
	struct machine *machine = *state;
	uint64_t before;

	opened(machine);
	before = core_uj(0, 0);
	energy(&machine->tree, "new/", 3, "123456.0");
	energy(&machine->tree, "new/", 12, "123456.0");
	assert_int_equal(core_uj(0, SCAPH_SOURCE_GAP), before);
	core_uj(1, SCAPH_SOURCE_GAP);
	energy(&machine->tree, "new/", 3, "123456.5");
	assert_int_equal(core_uj(0, 0) - before, 500000);
	tree_drop(&machine->tree, "resctrl/gold");
	assert_int_equal(core_uj(0, SCAPH_SOURCE_GAP) - before, 500000);
	energy(&machine->tree, "", 3, "5001.0");
	assert_int_equal(core_uj(0, 0) - before, 1500000);
	/* Back: it began anew. */
	energy(&machine->tree, "", 3, "10.0");
	assert_int_equal(core_uj(0, SCAPH_SOURCE_GAP) - before, 1500000);
	energy(&machine->tree, "", 3, "10.1");
	assert_int_equal(core_uj(0, 0) - before, 1600000);
	source->ops->close(source);
}

/* A word in place of a number passes: then the stretch counts whole. */
static void words(void **state)
{
	static const char *const odd[] = {
		"Unavailable", "Error", "", "1,5", "nan", "-1.0", "1.2.3"
	};
	struct machine *machine = *state;
	uint64_t before;

	opened(machine);
	before = core_uj(0, 0);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		energy(&machine->tree, "gold/", 3, odd[i]);
		core_uj(0, -ENODATA);
	}
	energy(&machine->tree, "gold/", 3, "8.0");
	assert_int_equal(core_uj(0, 0) - before, 500000);
	/* A new group that cannot be read yet: not now. */
	energy(&machine->tree, "new/", 3, "Unavailable");
	core_uj(0, -ENODATA);
	core_uj(0, -ENODATA);
	energy(&machine->tree, "new/", 3, "1.0");
	assert_int_equal(core_uj(0, SCAPH_SOURCE_GAP) - before, 500000);
	source->ops->close(source);
}

static void refusals(void **state)
{
	struct machine *machine = *state;
	struct tree *tree = &machine->tree;

	energy(tree, "gold/", 12, "Unavailable");
	refused(machine, "gold/mon_data/mon_PERF_PKG_12/core_energy: no number of joules");
	tree_drop(tree, "resctrl/gold");
	energy(tree, "", 13, "1.0");
	refused(machine, "half a topology");
	tree_drop(tree, "resctrl/mon_data/mon_PERF_PKG_13");
	tree_drop(tree, "resctrl/mon_data/mon_PERF_PKG_12");
	refused(machine,
		"mon_PERF_PKG_12/core_energy: No such file or directory: this needs Linux 7");
	tree_drop(tree, "resctrl/mon_data");
	refused(machine, "no resctrl with monitoring is mounted there");
	tree_drop(tree, "resctrl");
	refused(machine, "say with --resctrl where it is");
	assert_int_equal(scaph_source_resctrl.open(&tree->config, &topology, "x", &source, why),
			 -EINVAL);
	assert_non_null(strstr(why, "--resctrl DIR"));
}

/* A counter that does not move measures nothing. */
static void stands_still(void **state)
{
	struct machine *machine = *state;

	energy(&machine->tree, "", 3, "");
	energy(&machine->tree, "", 12, "");
	/* The ticker leaves files alone that are empty. */
	for (unsigned int package = 3; package <= 12; package += 9) {
		char path[128];

		energy_path(path, "", package);
		tree_drop(&machine->tree, path);
		tree_put(&machine->tree, path, "%s", "");
	}
	refused(machine, "no number of joules");
	machine->ticker.count = 0;
	energy(&machine->tree, "", 3, "77.7");
	energy(&machine->tree, "", 12, "77.7");
	refused(machine, "the counter of package 3 ");
}

static void joules(void **state)
{
	static const struct {
		const char *text;
		uint64_t energy_uj;
	} good[] = {
		{ "0", 0 },
		{ "0.0", 0 },
		{ "12", 12000000 },
		{ "0.02203", 22030 },
		{ "3.000004", 3000004 },
		{ "3.0000049999", 3000004 },
		{ "00012.5", 12500000 },
		{ "18446744073708.999999", 18446744073708999999ULL },
	};
	static const char *const bad[] = { "",	  ".",	  "1.",
					   ".5",  "1.5 ", " 1",
					   "+1",  "-1",	  "1e3",
					   "0x1", "1..2", "Unavailable",
					   "inf", "1,5",  "99999999999999999999" };
	uint64_t energy_uj = 4711;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(scaph_joules_parse(good[i].text, &energy_uj), 0);
		assert_true(energy_uj == good[i].energy_uj);
	}
	energy_uj = 4711;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(scaph_joules_parse(bad[i], &energy_uj), -EINVAL);
		assert_int_equal(energy_uj, 4711);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(core_alone), TEST(hidden_group), TEST(groups_come_and_go), TEST(words),
		TEST(refusals),	  TEST(stands_still), cmocka_unit_test(joules),
	};

	return cmocka_run_group_tests_name("resctrl", tests, NULL, NULL);
}
