/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_test.c - which source is taken, and the one line that says why
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/source/source.h"
#include "ticker.h"

#define CPUS "sys/devices/system/cpu/"
#define ZONE "sys/class/powercap/intel-rapl:0/"

static struct scaph_topology topology;
static struct scaph_source *source;

struct machine {
	struct tree tree;
	struct ticker ticker;
};

static int setup(void **state)
{
	static struct machine machine;
	struct tree *tree = &machine.tree;

	tree_make(tree);
	tree_processor(tree, "GenuineIntel", 6, 0x6a);
	tree_put(tree, CPUS "online", "0-1\n");
	tree_cpu(tree, 0, 0, 0);
	tree_cpu(tree, 1, 0, 0);
	tree_topology(tree, &topology);
	ticker_init(&machine.ticker);
	*state = &machine;
	return 0;
}

static int teardown(void **state)
{
	tree_remove(&((struct machine *)*state)->tree);
	return 0;
}

/* One line on standard error, whether it was opened or not. */
static const char *asked(struct machine *machine, const char *name, int *ret_r)
{
	char text[128];
	const char *said, *end;

	snprintf(text, sizeof(text), "%s", name);
	machine->tree.config.source = text;
	source = NULL;
	ticker_start(&machine->ticker);
	tree_listen(&machine->tree);
	*ret_r = scaph_source_open(&machine->tree.config, &topology, &source);
	if (*ret_r == 0)
		scaph_source_say(source);
	said = tree_heard(&machine->tree);
	ticker_stop(&machine->ticker);
	machine->tree.config.source = NULL;
	end = strchr(said, '\n');
	assert_true(end && !end[1]);
	return said;
}

static void taken(struct machine *machine, const char *name, const char *line)
{
	int r;
	const char *said = asked(machine, name, &r);

	if (r || strcmp(said, line) != 0)
		print_message("# %s", said);
	assert_int_equal(r, 0);
	assert_string_equal(said, line);
	source->ops->close(source);
}

static void refused(struct machine *machine, const char *name, const char *const words[],
		    size_t count)
{
	int r;
	const char *said = asked(machine, name, &r);

	assert_true(r < 0);
	assert_null(source);
	for (size_t i = 0; i < count; i++) {
		if (!strstr(said, words[i]))
			print_message("# %s", said);
		assert_non_null(strstr(said, words[i]));
	}
}

static void nothing_measures(void **state)
{
	static const char *const words[] = {
		"scaphd: no energy source: not msr: ",
		"modprobe msr; not perf: ",
		"no power PMU",
		"; not powercap: ",
		"modprobe intel_rapl_msr",
		"; --source model --model-watts IDLE:FULL asks for an estimate\n",
	};
	struct machine *machine = *state;

	/* An estimate stays unasked for even where all is there that it needs. */
	machine->tree.config.model_given = true;
	machine->tree.config.model_full_uw = 1000000;
	refused(machine, "auto", words, sizeof(words) / sizeof(words[0]));
}

static void first_that_measures(void **state)
{
	struct machine *machine = *state;
	char line[1024];

	tree_put(&machine->tree, ZONE "name", "package-0\n");
	tree_put(&machine->tree, ZONE "max_energy_range_uj", "262143328850\n");
	ticker_text(&machine->ticker, &machine->tree, ZONE "energy_uj", 1000, 50);
	tree_put(&machine->tree, "sys/bus/event_source/devices/power/type", "x\n");
	tree_processor(&machine->tree, "GenuineIntel", 6, 0xad);
	tree_topology(&machine->tree, &topology);
	snprintf(line, sizeof(line),
		 "scaphd: source powercap: 1 package, zones package; not msr: this processor's "
		 "counters "
		 "are no registers but TPMI: use --source powercap or perf; not perf: "
		 "%s/bus/event_source/devices/power/type: no number\n",
		 machine->tree.sysfs);
	taken(machine, "auto", line);
	taken(machine, "powercap",
	      "scaphd: source powercap: 1 package, zones package; it was asked for by name\n");
}

static void msr_first(void **state)
{
	static const unsigned int cpus[2] = { 0, 1 };
	struct machine *machine = *state;

	tree_msr(&machine->tree, 0, 0x606, 0xa0e03);
	tree_msr(&machine->tree, 1, 0x606, 0xa0e03);
	ticker_msr(&machine->ticker, &machine->tree, cpus, 0x611, 500, 5);
	taken(machine, "auto",
	      "scaphd: source msr: 1 package, zones package; the others were not needed\n");
}

static void by_name(void **state)
{
	static const char *const perf[] = { "source perf: ", "no power PMU" };
	static const char *const none[] = { "source rapl: no such source", "--source auto",
					    "--source msr", "--source replay:FILE" };
	static const char *const model[] = { "--model-watts IDLE:FULL" };
	static const char *const argument[] = { "nothing may stand behind msr" };
	struct machine *machine = *state;

	refused(machine, "perf", perf, 2);
	refused(machine, "rapl", none, 4);
	refused(machine, "model", model, 1);
	refused(machine, "msr:0", argument, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_measures),
		TEST(first_that_measures),
		TEST(msr_first),
		TEST(by_name),
	};

	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
